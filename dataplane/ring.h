#pragma once

#include <liburing.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

struct iovec;
struct msghdr;
struct sockaddr;

namespace ringway {

/// What a request was made for. Every completion names it.
enum class Operation : std::uint8_t {
  LinkReceive,
  LinkSend,
  LinkWritable,
  AnswerSend,  ///< of stateless answers to strangers
  AnswerWritable,
  TunRead,
  TunWrite,       ///< a frame of a TunWriter
  TunWriteAgain,  ///< a packet of a frame that the kernel refused
  StreamAccept,   ///< of a listening TCP socket
  StreamConnect,  ///< by a client
  StreamReceive,
  StreamSend,
  Wake,
  Cancel,
};

/// The owner of a request, as it travels through the kernel in user_data. Pure value.
struct RequestTag {
  Operation operation = Operation::Cancel;
  /// Which listener, of the link's operations.
  std::uint8_t listener = 0;
  /// Which buffer, of sends and writes; which connection, of a stream's operations.
  std::uint32_t slot = 0;

  [[nodiscard]] std::uint64_t encode() const {
    return std::uint64_t{static_cast<std::uint8_t>(operation)} << 40 |
           std::uint64_t{listener} << 32 | slot;
  }
  static RequestTag decode(std::uint64_t user_data) {
    return {.operation = static_cast<Operation>(user_data >> 40 & 0xff),
            .listener = static_cast<std::uint8_t>(user_data >> 32),
            .slot = static_cast<std::uint32_t>(user_data)};
  }
  friend constexpr bool operator==(const RequestTag&, const RequestTag&) = default;
};

/// One completion, copied out of the kernel's queue. Pure value.
struct Completion {
  RequestTag tag;
  /// Bytes, or a negative errno.
  std::int32_t result = 0;
  /// The request goes on and will complete again. False: it has ended, and somebody must arm it
  /// again if it was to last (security goal E04).
  bool more = false;
  /// The provided buffer that the kernel chose and filled.
  std::optional<std::uint16_t> buffer;
};

struct RingSettings {
  /// Requests that can be prepared between two submissions; more are submitted in between.
  unsigned submission_count = 1024;
  /// Room for completions. Four times what can be in flight makes an overflow impossible (E02).
  unsigned completion_count = 4096;
  /// The ring takes requests after confine() only.
  bool asleep = false;
};

/// An io_uring of one thread (SINGLE_ISSUER, DEFER_TASKRUN): open() and everything else happens on
/// the thread that uses it. Neither copied nor moved.
///
/// Requests are prepared by the functions below and submitted together by submit_and_wait(). Each
/// returns false, having done nothing, when the kernel takes no more requests: the caller drops
/// what it had and counts it. Memory named in a request belongs to the kernel until the completion
/// without `more` has been collected. No request is linked to another (E09).
class Ring {
 public:
  Ring() = default;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// The error says what to change on the machine when io_uring is forbidden or too old.
  [[nodiscard]] Result<void> open(const RingSettings& settings);
  /// Wakes a ring that was opened asleep, when all is registered with it. From now on the kernel
  /// refuses (EACCES) every operation but those that a worker needs, which begin nothing and open
  /// nothing: what a ring does passes by the thread's filter of system calls (D04).
  [[nodiscard]] Result<void> confine();
  /// Linux 6.7 and newer.
  [[nodiscard]] bool has_multishot_read() const { return has_multishot_read_; }

  /// Receives datagrams into buffers of `group` until it fails. `header` gives the room for name
  /// and control data; it stays as it is while the request lasts.
  [[nodiscard]] bool receive_messages(RequestTag tag, int fd, msghdr& header, std::uint16_t group);
  /// Reads into buffers of `group`, once for each packet until it fails. Needs
  /// has_multishot_read().
  [[nodiscard]] bool read_packets(RequestTag tag, int fd, std::uint16_t group);
  /// Reads one packet of at most `size` bytes into a buffer of `group`.
  [[nodiscard]] bool read_packet(RequestTag tag, int fd, std::uint16_t group, std::size_t size);
  [[nodiscard]] bool read(RequestTag tag, int fd, MutableBytes into);
  [[nodiscard]] bool write(RequestTag tag, int fd, Bytes bytes);
  /// Writes the pieces as one packet. `pieces` itself stays as it is until the completion, too.
  [[nodiscard]] bool write_vector(RequestTag tag, int fd, std::span<const iovec> pieces);
  /// Where the socket's send buffer is full, the send waits in the kernel.
  [[nodiscard]] bool send_message(RequestTag tag, int fd, const msghdr& message);
  /// Where it is full, the send ends with EAGAIN: sends that wait would wake in reverse order.
  [[nodiscard]] bool send_message_now(RequestTag tag, int fd, const msghdr& message);
  /// Accepts connections until it fails: each completes with a new, blocking socket.
  [[nodiscard]] bool accept_connections(RequestTag tag, int fd);
  /// `name` stays as it is until the completion.
  [[nodiscard]] bool connect(RequestTag tag, int fd, const sockaddr* name, unsigned name_size);
  /// Receives what has come, at most `size` bytes, into one buffer of `group`, which is taken when
  /// there is something.
  [[nodiscard]] bool receive_bytes(RequestTag tag, int fd, std::size_t size, std::uint16_t group);
  /// Sends a part of the bytes at least. Where the send buffer is full it waits in the kernel.
  [[nodiscard]] bool send_bytes(RequestTag tag, int fd, Bytes bytes);
  /// Completes when `fd` can be written to.
  [[nodiscard]] bool wait_writable(RequestTag tag, int fd);
  /// Completes when `fd` can be read from.
  [[nodiscard]] bool wait_readable(RequestTag tag, int fd);
  /// Ends every request in flight; each still completes, and so does this one.
  [[nodiscard]] bool cancel_all(RequestTag tag);

  /// Submits what was prepared, so that it begins now and not at the end of the turn. What it fails
  /// with shows at the next submit_and_wait().
  void submit();
  /// Submits what was prepared and waits for `completions`, or for `timeout`. Returns 0, also for a
  /// time-out, or the errno of a failure, after which the prepared requests are still there.
  ///
  /// With more than one, the time-out is the time in which a batch forms: the thread sleeps through
  /// what comes meanwhile (a multishot receive counts once however much it has received). This does
  /// what IORING_FEAT_MIN_TIMEOUT is for, equally well where measured, and on every kernel.
  [[nodiscard]] int submit_and_wait(Duration timeout, unsigned completions = 1);
  /// Submits what was prepared, lets the kernel post what is done, and does not sleep. Returns as
  /// submit_and_wait() does.
  [[nodiscard]] int submit_and_look();
  /// Moves completions that the kernel has posted into `out`, oldest first; returns how many.
  [[nodiscard]] std::size_t collect(std::span<Completion> out);

  /// Ends every request in flight and gives each completion to `reclaim`, until the kernel holds no
  /// memory of ours; or, should it not let go of it, for kDrainTurnsMax waits: ending the process
  /// is then all that is safe.
  template <typename Reclaim>
  void drain(const Reclaim& reclaim);

  /// Requests that will complete again. Zero: the kernel holds no memory of ours.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  /// Completions that did not fit into the queue. The kernel kept or lost them: an alarm.
  [[nodiscard]] std::uint32_t overflow_count() const;

 private:
  friend class ReceiveBuffers;
  /// Cancelled requests complete at once.
  static constexpr int kDrainTurnsMax = 100;
  static constexpr Duration kDrainWait = 50ms;

  io_uring_sqe* next_request(RequestTag tag);
  void use_buffer_group(io_uring_sqe& request, std::uint16_t group);

  io_uring ring_{};
  bool is_open_ = false;
  bool has_multishot_read_ = false;
  std::size_t in_flight_ = 0;
};

template <typename Reclaim>
void Ring::drain(const Reclaim& reclaim) {
  std::array<Completion, 64> completions;
  bool cancelled = false;
  for (int turn = 0; turn < kDrainTurnsMax && in_flight() > 0; ++turn) {
    if (!cancelled) cancelled = cancel_all({.operation = Operation::Cancel});
    static_cast<void>(submit_and_wait(kDrainWait));
    while (const std::size_t count = collect(completions)) {
      for (const Completion& completion : std::span(completions).first(count)) reclaim(completion);
    }
  }
}

/// Why a ring cannot be made, and what to do about it. Pure.
Error explain_ring_failure(int error_number);

}  // namespace ringway
