#include "dataplane/ring.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"

namespace ringway {
namespace {

/// IORING_OP_READ_MULTISHOT (Linux 6.7), which liburing 2.3 does not know.
constexpr std::uint8_t kReadMultishot = 49;

constexpr std::array kNeededOperations = {
    IORING_OP_RECVMSG, IORING_OP_SENDMSG,  IORING_OP_READ,         IORING_OP_WRITE,
    IORING_OP_WRITEV,  IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_ACCEPT,
    IORING_OP_CONNECT, IORING_OP_RECV,     IORING_OP_SEND};

struct ProbeDelete {
  void operator()(io_uring_probe* probe) const { io_uring_free_probe(probe); }
};
using Probe = std::unique_ptr<io_uring_probe, ProbeDelete>;

/// Of these, a worker connects to nobody.
constexpr std::array kWorkersOperations = {
    IORING_OP_RECVMSG,  IORING_OP_SENDMSG,      IORING_OP_READ,   IORING_OP_WRITE, IORING_OP_WRITEV,
    IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_ACCEPT, IORING_OP_RECV,  IORING_OP_SEND};

bool supports(const Probe& probe, int operation) {
  return probe != nullptr && io_uring_opcode_supported(probe.get(), operation) != 0;
}

/// Debian's liburing 2.3 does not export its functions for these. -1 with errno, as system calls.
long register_with(const io_uring& ring, unsigned what, const void* argument, std::size_t count) {
  return ::syscall(SYS_io_uring_register, ring.ring_fd, what, argument, count);
}

__kernel_timespec timespec_of(Duration duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

}  // namespace

Error explain_ring_failure(int error_number) {
  Error error{.what = "cannot set up io_uring", .where = {}, .advice = {}};
  switch (error_number) {
    case EPERM:
    case EACCES:
      error.what = "this process is not allowed to use io_uring";
      error.advice =
          "set `sysctl kernel.io_uring_disabled=0`; in a container, use a seccomp profile that "
          "allows io_uring_setup, io_uring_enter and io_uring_register";
      break;
    case ENOSYS:
      error.what = "the kernel has no io_uring";
      error.advice = "Linux 6.1 or newer with CONFIG_IO_URING is needed";
      break;
    case EINVAL:
    case EOPNOTSUPP:
      error.what = "the kernel's io_uring is too old";
      error.advice = "Linux 6.1 or newer is needed";
      break;
    case ENOMEM:
      error.what = "no memory for io_uring";
      error.advice =
          "raise the limit of locked memory (LimitMEMLOCK= in the systemd unit, "
          "`ulimit -l`), or use fewer `workers`";
      break;
    case EMFILE:
    case ENFILE:
      error.what = "no file descriptor left for io_uring";
      error.advice =
          "raise the limit of open files (LimitNOFILE= in the systemd unit, `ulimit -n`)";
      break;
    default: error.what += std::string(": ") + std::strerror(error_number); break;
  }
  return error;
}

Ring::~Ring() {
  if (!is_open_) return;
  // The kernel must not hold memory that is about to be freed (E01).
  RW_ASSERT(in_flight_ == 0);
  io_uring_queue_exit(&ring_);
}

Result<void> Ring::open(const RingSettings& settings) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  if (settings.asleep) params.flags |= IORING_SETUP_R_DISABLED;
  params.cq_entries = settings.completion_count;
  const int result = io_uring_queue_init_params(settings.submission_count, &ring_, &params);
  if (result < 0) return std::unexpected(explain_ring_failure(-result));
  is_open_ = true;

  constexpr unsigned kNeededFeatures =
      IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG;
  if ((params.features & kNeededFeatures) != kNeededFeatures) {
    return std::unexpected(explain_ring_failure(EINVAL));
  }
  const Probe probe(io_uring_get_probe_ring(&ring_));
  for (const int operation : kNeededOperations) {
    if (!supports(probe, operation)) return std::unexpected(explain_ring_failure(EINVAL));
  }
  has_multishot_read_ = supports(probe, kReadMultishot);

  // Nothing here needs a kernel worker thread: sockets, the TUN and eventfds are polled. Should a
  // kernel punt a request all the same, two threads are enough (E11). Failing is harmless.
  unsigned iowq_workers[2] = {1, 1};
  io_uring_register_iowq_max_workers(&ring_, iowq_workers);
  return {};
}

Result<void> Ring::confine() {
  std::vector<io_uring_restriction> allowed;
  const auto allow = [&](std::uint16_t kind, std::uint8_t what) {
    io_uring_restriction restriction{};
    restriction.opcode = kind;
    restriction.sqe_op = what;  // One byte of a union, whatever the kind.
    allowed.push_back(restriction);
  };
  for (const int operation : kWorkersOperations) {
    allow(IORING_RESTRICTION_SQE_OP, static_cast<std::uint8_t>(operation));
  }
  if (has_multishot_read_) allow(IORING_RESTRICTION_SQE_OP, kReadMultishot);
  allow(IORING_RESTRICTION_SQE_FLAGS_ALLOWED, IOSQE_BUFFER_SELECT);
  allow(IORING_RESTRICTION_REGISTER_OP, IORING_UNREGISTER_PBUF_RING);
  long result = register_with(ring_, IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size());
  if (result == 0) result = register_with(ring_, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (result == 0) return {};
  return fail(
      std::string("cannot restrict io_uring to what a worker needs: ") + std::strerror(errno), {},
      "Linux 6.1 or newer is needed; in a container, its seccomp profile must allow "
      "io_uring_register");
}

io_uring_sqe* Ring::next_request(RequestTag tag) {
  io_uring_sqe* request = io_uring_get_sqe(&ring_);
  if (request == nullptr) {
    // The queue is full in the middle of a batch: hand over what is there. If the kernel is out of
    // memory it takes nothing, and there is no room.
    io_uring_submit(&ring_);
    request = io_uring_get_sqe(&ring_);
    if (request == nullptr) return nullptr;
  }
  // The io_uring_prep_*() functions of liburing 2.3 leave user_data alone.
  io_uring_sqe_set_data64(request, tag.encode());
  ++in_flight_;
  return request;
}

void Ring::use_buffer_group(io_uring_sqe& request, std::uint16_t group) {
  io_uring_sqe_set_flags(&request, IOSQE_BUFFER_SELECT);
  request.buf_group = group;
}

bool Ring::receive_messages(RequestTag tag, int fd, msghdr& header, std::uint16_t group) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_recvmsg_multishot(request, fd, &header, 0);
  use_buffer_group(*request, group);
  return true;
}

bool Ring::read_packets(RequestTag tag, int fd, std::uint16_t group) {
  RW_ASSERT(has_multishot_read_);
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_rw(kReadMultishot, request, fd, nullptr, 0, 0);
  use_buffer_group(*request, group);
  return true;
}

bool Ring::read_packet(RequestTag tag, int fd, std::uint16_t group, std::size_t size) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_read(request, fd, nullptr, static_cast<unsigned>(size), 0);
  use_buffer_group(*request, group);
  return true;
}

bool Ring::read(RequestTag tag, int fd, MutableBytes into) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_read(request, fd, into.data(), static_cast<unsigned>(into.size()), 0);
  return true;
}

bool Ring::write(RequestTag tag, int fd, Bytes bytes) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_write(request, fd, bytes.data(), static_cast<unsigned>(bytes.size()), 0);
  return true;
}

bool Ring::write_vector(RequestTag tag, int fd, std::span<const iovec> pieces) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_writev(request, fd, pieces.data(), static_cast<unsigned>(pieces.size()), 0);
  return true;
}

bool Ring::send_message(RequestTag tag, int fd, const msghdr& message) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_sendmsg(request, fd, &message, MSG_NOSIGNAL);
  return true;
}

bool Ring::send_message_now(RequestTag tag, int fd, const msghdr& message) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_sendmsg(request, fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return true;
}

bool Ring::accept_connections(RequestTag tag, int fd) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_multishot_accept(request, fd, nullptr, nullptr, SOCK_CLOEXEC);
  return true;
}

bool Ring::connect(RequestTag tag, int fd, const sockaddr* name, unsigned name_size) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_connect(request, fd, name, name_size);
  return true;
}

bool Ring::receive_bytes(RequestTag tag, int fd, std::size_t size, std::uint16_t group) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_recv(request, fd, nullptr, size, 0);
  use_buffer_group(*request, group);
  return true;
}

bool Ring::send_bytes(RequestTag tag, int fd, Bytes bytes) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_send(request, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return true;
}

bool Ring::wait_writable(RequestTag tag, int fd) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_poll_add(request, fd, POLLOUT);
  return true;
}

bool Ring::wait_readable(RequestTag tag, int fd) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_poll_add(request, fd, POLLIN);
  return true;
}

bool Ring::cancel_all(RequestTag tag) {
  io_uring_sqe* request = next_request(tag);
  if (request == nullptr) return false;
  io_uring_prep_cancel64(request, 0, IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
  return true;
}

void Ring::submit() { io_uring_submit(&ring_); }

int Ring::submit_and_wait(Duration timeout, unsigned completions) {
  RW_ASSERT(completions > 0);
  __kernel_timespec limit = timespec_of(timeout);
  io_uring_cqe* first = nullptr;
  const int result = io_uring_submit_and_wait_timeout(&ring_, &first, completions, &limit, nullptr);
  if (result >= 0 || result == -ETIME || result == -EINTR) return 0;
  return -result;
}

int Ring::submit_and_look() {
  const int result = io_uring_submit_and_get_events(&ring_);
  return result >= 0 || result == -EINTR ? 0 : -result;
}

std::size_t Ring::collect(std::span<Completion> out) {
  std::size_t count = 0;
  unsigned head = 0;
  io_uring_cqe* entry = nullptr;
  io_uring_for_each_cqe(&ring_, head, entry) {
    if (count == out.size()) break;
    const bool has_buffer = (entry->flags & IORING_CQE_F_BUFFER) != 0;
    Completion& completion = out[count++];
    completion = {.tag = RequestTag::decode(entry->user_data),
                  .result = entry->res,
                  .more = (entry->flags & IORING_CQE_F_MORE) != 0,
                  .buffer = std::nullopt};
    if (has_buffer) {
      completion.buffer = static_cast<std::uint16_t>(entry->flags >> IORING_CQE_BUFFER_SHIFT);
    }
    if (!completion.more) --in_flight_;
  }
  io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
  return count;
}

std::uint32_t Ring::overflow_count() const {
  const bool overflown = io_uring_cq_has_overflow(&ring_);
  return *ring_.cq.koverflow + (overflown ? 1 : 0);
}

}  // namespace ringway
