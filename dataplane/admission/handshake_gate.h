#pragma once

#include <optional>
#include <variant>

#include "base/address.h"
#include "base/drop.h"
#include "base/time.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/handshake_cookie.h"
#include "dataplane/admission/handshake_limits.h"
#include "dataplane/admission/tls_wrap.h"

namespace ringway {

/// What a stranger's control packet earned.
struct GateReply {
  /// The reset to send back, inside the caller's scratch. Never larger than request + 12 bytes.
  Bytes datagram;
};
/// The sender returned a valid cookie: a ControlChannel may be made and given this same datagram.
struct GateProven {
  SessionId local;
  SessionId remote;
  /// tls-crypt-v2: the client's own key, which protects the channel in place of the shared wrap.
  std::optional<StaticKey> client_key;
  /// What that key says of itself; empty without one.
  KeyMetadata metadata;
};
/// A reset with a client's own key (tls-crypt-v2) by a client that cannot show the key a second
/// time: whoever wants to serve it has to remember the key now, though the address is not proven.
struct GateUnproven {
  SessionId remote;
  StaticKey client_key;
  KeyMetadata metadata;
};
using GateVerdict = std::variant<Drop, GateReply, GateProven, GateUnproven>;

/// The stateless first stage: control packets from endpoints that have no channel. Checks the
/// wrapping, answers resets with a cookie and keeps nothing; lets through who returns the cookie.
/// A ClientHello without acks (2.4/2.5 whose one ACK was lost) is answered with the cookie again
/// (security goal A05). With tls-crypt-v2 the key comes with the datagram: first its length is
/// looked at, then one HMAC decides; nothing but the key of a GateProven outlives the call (A07,
/// A08). Pure; keeps nothing but what the limits count. One thread.
class HandshakeGate {
 public:
  /// All outlive the gate. `limits` may be null, or shared with another gate of the same thread.
  /// Their answers do not count TCP, whose handshake has proven the address: a flood of datagrams
  /// must not use up what is answered over connections.
  HandshakeGate(const TlsWrap& wrap, const HandshakeCookie& cookie, HandshakeLimits* limits);

  /// `scratch` holds the reply; it is at least kDatagramSizeMax bytes.
  [[nodiscard]] GateVerdict handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now,
                                            MutableBytes scratch);

  static constexpr std::size_t kDatagramSizeMax = 2048;

 private:
  /// What the reset is answered with: the wrapping, and the wish for the wrapped key.
  struct ReplyForm {
    const TlsWrap& wrap;
    Bytes payload;
  };
  GateVerdict handle_shared(Bytes datagram, const LinkEndpoint& from, Now now,
                            MutableBytes scratch);
  GateVerdict handle_v2(Bytes datagram, const LinkEndpoint& from, Now now, MutableBytes scratch);
  [[nodiscard]] GateVerdict check_proof(const ControlPacket& packet, const LinkEndpoint& from,
                                        Now now) const;
  GateVerdict reply(const ReplyForm& form, SessionId client, const LinkEndpoint& from, Now now,
                    MutableBytes scratch);
  /// The verdict on who may come in, unless there were too many of late.
  GateVerdict within_limits(GateVerdict verdict, const LinkEndpoint& from, Instant now);

  const TlsWrap& wrap_;
  const HandshakeCookie& cookie_;
  HandshakeLimits* limits_;
};

}  // namespace ringway
