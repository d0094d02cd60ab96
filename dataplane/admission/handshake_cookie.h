#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"
#include "dataplane/admission/hmac_key.h"
#include "dataplane/admission/session_id.h"

namespace ringway {

/// A key for cookies, and the first slot that it is used in.
struct CookieKey {
  Secret<32> key;
  std::int64_t from_slot = 0;

  static CookieKey draw(RandomSource& random, std::int64_t from_slot);
  [[nodiscard]] CookieKey copy() const { return {.key = key.copy(), .from_slot = from_slot}; }
};

/// The server's session id as a cookie: eight bytes of HMAC-SHA256 over time slot, both ends of the
/// link, the listener and the client's session id. Only a client that receives at its address can
/// return it, so nothing is kept for anybody else (security goals A01 to A03).
///
/// Slots are half a hand-window of the monotonic clock; the present and the two before are
/// accepted, so a cookie lives for 1 to 1.5 hand-windows.
///
/// Whoever has read the key once shall not make cookies for ever: it is replaced from time to time.
/// A new key is handed out before its first slot, so that all who make and check cookies change at
/// the same moment, and each slot has one key: a check costs no more for it. Who comes late checks
/// by the older key meanwhile, and its clients ask again.
/// Pure; each thread has its own, of the same keys.
class HandshakeCookie {
 public:
  /// The present slot and the two before: a client on a slow link may answer a whole hand-window
  /// after the reset that it got at the end of a slot.
  static constexpr std::int64_t kSlotsAccepted = 3;

  /// Without a key. `hand_window` is at least two seconds.
  explicit HandshakeCookie(Duration hand_window);
  HandshakeCookie(const CookieKey& key, Duration hand_window);
  /// With a key that is drawn here.
  HandshakeCookie(RandomSource& random, Duration hand_window);

  /// The newest and the one before it are kept: at least kSlotsAccepted slots are between two keys.
  void add_key(const CookieKey& key);
  /// Without a key again.
  void forget_keys() {
    newest_.reset();
    older_.reset();
  }
  /// Nothing is made or checked before.
  [[nodiscard]] bool has_key() const { return newest_.has_value(); }
  [[nodiscard]] std::int64_t slot_at(Instant now) const { return now.since_start / slot_; }
  [[nodiscard]] Duration slot() const { return slot_; }

  [[nodiscard]] SessionId make(const LinkEndpoint& from, SessionId client, Instant now) const;
  [[nodiscard]] bool verify(SessionId cookie, const LinkEndpoint& from, SessionId client,
                            Instant now) const;

 private:
  [[nodiscard]] SessionId at_slot(std::int64_t slot, const LinkEndpoint& from,
                                  SessionId client) const;
  struct DatedKey {
    HmacKey key;
    std::int64_t from_slot;
  };
  [[nodiscard]] const HmacKey& key_of(std::int64_t slot) const;

  std::optional<DatedKey> newest_;
  std::optional<DatedKey> older_;
  Duration slot_;
};

}  // namespace ringway
