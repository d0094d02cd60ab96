#pragma once

#include <expected>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/drop.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/control_replay.h"
#include "dataplane/admission/handshake_gate.h"
#include "dataplane/admission/tls_wrap.h"

namespace ringway {

/// The outermost layer of one control channel: between datagrams and control packets of this very
/// session. Wrapping and its replay check, and the session ids of both ends. Also the wrapped keys
/// of tls-crypt-v2: a client appends its own to its first packets; a server cuts off what repeats
/// of it and never looks into it again (security goal A08). To the layers above, the opcodes that
/// carry one are those of plain resets and messages.
///
/// Pure; owned by one ControlChannel; `wrap` outlives it. Fixed size; move-only.
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

  /// Dynamic tls-crypt: from now on every negotiation but the first is protected by `key` alone,
  /// with replay ids of its own that begin under `time`.
  void protect_renegotiations(const StaticKey& key, Side side, std::uint32_t time);

  /// How much of a message fits a datagram of `packet_size` bytes, outer headers included.
  [[nodiscard]] std::size_t payload_size_max(std::size_t packet_size, KeyId key_id) const;
  [[nodiscard]] SessionId local() const { return local_; }
  /// The peer has shown that it receives what we send, by naming our session id.
  [[nodiscard]] bool is_proven() const { return is_proven_; }
  /// All zero while the server has not answered.
  [[nodiscard]] SessionId remote() const { return remote_.value_or(SessionId{}); }

 private:
  [[nodiscard]] std::optional<Drop> session_fault(const ControlPacket& packet) const;
  [[nodiscard]] bool shows_key(const ControlPacket& packet) const;

  /// A protection, and the replay ids under it.
  struct Layer {
    const TlsWrap* wrap;
    ReplayCounter counter;
    ControlReplay replay;
  };
  /// The layer of the renegotiations, with the keys that it is made of.
  struct DynamicLayer {
    TlsWrap wrap;
    Layer layer;
  };
  [[nodiscard]] Layer& layer_of(KeyId key_id);
  [[nodiscard]] const TlsWrap& wrap_of(KeyId key_id) const;

  SessionId local_;
  std::optional<SessionId> remote_;
  Layer layer_;
  std::unique_ptr<DynamicLayer> dynamic_;
  bool is_proven_ = false;
  /// Client with tls-crypt-v2: the server has asked for the wrapped key once more.
  bool shows_key_again_ = false;
};

}  // namespace ringway
