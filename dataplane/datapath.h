#pragma once

#include <array>
#include <expected>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/drop.h"
#include "base/ids.h"
#include "base/time.h"
#include "dataplane/datapath_settings.h"
#include "dataplane/downlink.h"
#include "dataplane/messages.h"
#include "dataplane/uplink.h"
#include "dataplane/verdict.h"

namespace ringway {

/// The core of one worker: its sessions, a replica of the routes, and both ways of a packet.
///
/// Pure: no system call, clock, randomness or log; after construction it allocates nothing for a
/// packet. Used by one worker's thread, or by a test. After handle_command() or handle_timeout(),
/// drain poll_report() and poll_transmit().
class Datapath {
 public:
  /// What sealing adds to a packet at most: DATA_V2 header, epoch, counter and tag.
  static constexpr std::size_t kSealOverheadMax = 28;
  static constexpr std::size_t kPingSizeMax = 44;

  explicit Datapath(const DatapathSettings& settings);
  ~Datapath();
  Datapath(const Datapath&) = delete;
  Datapath& operator=(const Datapath&) = delete;

  /// Commands for sessions and keys that are not here (any more) are ignored. Stop is the shell's.
  void handle_command(WorkerCommand command, Instant now);

  /// Uplink. Opens in place: `datagram` is overwritten, and Verdict::packet points into it. A
  /// control datagram is not: it is for the control thread, or answered (Way::Link) by
  /// ControlIntake.
  [[nodiscard]] Verdict handle_datagram(MutableBytes datagram, UplinkSource& source, Instant now);
  /// The same for a datagram that came alone.
  [[nodiscard]] Verdict handle_datagram(MutableBytes datagram, const LinkEndpoint& from,
                                        Instant now) {
    UplinkSource source(from);
    return handle_datagram(datagram, source, now);
  }

  /// Downlink: first once for the frame, a packet or super-packet of the TUN or of another client.
  /// The result borrows `packet`. A frame that another worker owns goes there packet by packet,
  /// with RoutedFrame::segmenter. What is dropped counts as many packets as the frame would have
  /// become.
  [[nodiscard]] std::expected<RoutedFrame, Drop> route_frame(const VnetHeader& header,
                                                             Bytes packet);
  /// ... then before the first datagram of a frame, and again when commands were handled since. A
  /// frame of packets that are larger than PeerTarget::packet_max is for a LinkFeeder to cut or to
  /// answer.
  [[nodiscard]] std::expected<PeerTarget, Drop> target_of(const RoutedFrame& frame);
  /// ... then for each packet, while frame.segmenter.next_size() > 0: the sealed datagram in `out`,
  /// which has PeerTarget::seal_overhead() bytes more than that. `packet` is the memory that
  /// route_frame() was given; it is overwritten.
  [[nodiscard]] std::expected<MutableBytes, Drop> seal_next(RoutedFrame& frame,
                                                            const PeerTarget& target,
                                                            MutableBytes packet, MutableBytes out,
                                                            Instant now);

  /// What time it is for replay stamps and the age of keys, to the second; call it once a second.
  void set_wall(UnixTime wall);
  void handle_timeout(Instant now);
  /// When handle_timeout() wants to be called next.
  [[nodiscard]] Instant poll_timeout() const;
  /// poll_transmit() has something, without handle_timeout().
  [[nodiscard]] bool has_transmit() const;
  /// Keep-alive datagrams, and those about the width of paths, that are due. Way::Link, or nothing
  /// when there are no more. `scratch` has at least kPingSizeMax bytes; a probe that is larger than
  /// that is not sent.
  [[nodiscard]] std::optional<Verdict> poll_transmit(MutableBytes scratch, Instant now);
  /// The kernel did not send a datagram of this size to that endpoint (EMSGSIZE).
  void note_refused(const LinkEndpoint& to, std::size_t datagram_size, Instant now);
  [[nodiscard]] std::optional<WorkerReport> poll_report();

  [[nodiscard]] const std::array<std::uint64_t, kDropCount>& drops() const;
  /// What has become of probes of paths since the last call.
  [[nodiscard]] PathMtu::Counts take_path_counts();
  [[nodiscard]] std::size_t session_count() const;
  struct PeerTraffic {
    std::uint64_t bytes_received = 0;  ///< link datagrams that authenticated
    std::uint64_t bytes_sent = 0;
    std::uint64_t payload_bytes = 0;  ///< inner packets, both ways
    Instant last_received;
    /// The largest outer packet that is sent to the peer, and whether one was seen to arrive.
    std::uint16_t path_mtu = 0;
    bool path_is_proven = false;
  };
  [[nodiscard]] std::optional<PeerTraffic> traffic_of(PeerId peer) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringway
