#pragma once

#include <variant>

#include "base/address.h"
#include "base/drop.h"
#include "base/time.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/handshake_cookie.h"
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
};
using GateVerdict = std::variant<Drop, GateReply, GateProven>;

/// `connect-freq-initial`: at most `count` stateless replies in `period`.
struct ReplyLimit {
  std::uint32_t count = 100'000;
  Duration period = 1s;
};

/// The stateless first stage: control packets from endpoints that have no channel. Checks the
/// wrapping, answers resets with a cookie and keeps nothing; lets through who returns the cookie.
/// A ClientHello without acks (2.4/2.5 whose one ACK was lost) is answered with the cookie again
/// (security goal A05). Pure: a counter of replies is its only state. One thread.
class HandshakeGate {
 public:
  HandshakeGate(const TlsWrap& wrap, const HandshakeCookie& cookie, ReplyLimit limit);

  /// `scratch` holds the reply; it is at least kDatagramSizeMax bytes.
  [[nodiscard]] GateVerdict handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now,
                                            MutableBytes scratch);

  static constexpr std::size_t kDatagramSizeMax = 2048;

 private:
  GateVerdict reply(SessionId client, const LinkEndpoint& from, Now now, MutableBytes scratch);
  /// False when the period's replies are used up.
  bool take_reply(Instant now);

  const TlsWrap& wrap_;
  const HandshakeCookie& cookie_;
  ReplyLimit limit_;
  Instant period_start_;
  std::uint32_t replies_ = 0;
};

}  // namespace ringway
