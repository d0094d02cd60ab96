#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "dataplane/admission/hmac_key.h"
#include "dataplane/admission/session_id.h"

namespace ringway {

/// The server's session id as a cookie: eight bytes of HMAC-SHA256 over time slot, both ends of the
/// link, the listener and the client's session id. Only a client that receives at its address can
/// return it, so nothing is kept for anybody else (security goals A01 to A03).
///
/// Slots are half a hand-window of the monotonic clock; the present and the two before are
/// accepted, so a cookie lives for 1 to 1.5 hand-windows. The key is drawn at construction.
/// Pure; immutable, so threads may share it.
class HandshakeCookie {
 public:
  /// `hand_window` is at least two seconds.
  HandshakeCookie(RandomSource& random, Duration hand_window);

  [[nodiscard]] SessionId make(const LinkEndpoint& from, SessionId client, Instant now) const;
  [[nodiscard]] bool verify(SessionId cookie, const LinkEndpoint& from, SessionId client,
                            Instant now) const;

 private:
  [[nodiscard]] SessionId at_slot(std::int64_t slot, const LinkEndpoint& from,
                                  SessionId client) const;
  HmacKey key_;
  Duration slot_;
};

}  // namespace ringway
