#pragma once

#include <expected>
#include <optional>

#include "base/bytes.h"
#include "base/drop.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/control_replay.h"
#include "dataplane/admission/handshake_gate.h"
#include "dataplane/admission/tls_wrap.h"

namespace ringway {

/// The outermost layer of one control channel: between datagrams and control packets of this very
/// session. Wrapping and its replay check, and the session ids of both ends.
///
/// Pure; owned by one ControlChannel; `wrap` outlives it. Fixed size.
class ControlWire {
 public:
  static constexpr std::size_t kDatagramSizeMax = HandshakeGate::kDatagramSizeMax;

  /// Without `remote` the first packet must be the server's reset that acknowledges ours.
  ControlWire(const TlsWrap& wrap, SessionId local, std::optional<SessionId> remote,
              ReplayCounter counter);

  /// The packet borrows from `scratch` (kDatagramSizeMax bytes) or from `datagram`. A packet of
  /// another session moves nothing, least of all the replay window.
  std::expected<ControlPacket, Drop> open(Bytes datagram, MutableBytes scratch);
  /// Completes `packet` with the session ids and writes its wrapped form into `out`
  /// (kDatagramSizeMax bytes). Every call takes a new replay stamp, so retransmissions differ.
  Bytes seal(ControlPacket& packet, MutableBytes out);

  /// How much of a message fits a datagram of `packet_size` bytes, outer headers included.
  [[nodiscard]] std::size_t payload_size_max(std::size_t packet_size) const;
  [[nodiscard]] SessionId local() const { return local_; }
  /// All zero while the server has not answered.
  [[nodiscard]] SessionId remote() const { return remote_.value_or(SessionId{}); }

 private:
  [[nodiscard]] std::optional<Drop> session_fault(const ControlPacket& packet) const;

  const TlsWrap& wrap_;
  SessionId local_;
  std::optional<SessionId> remote_;
  ReplayCounter counter_;
  ControlReplay replay_;
};

}  // namespace ringway
