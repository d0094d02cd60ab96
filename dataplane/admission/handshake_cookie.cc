#include "dataplane/admission/handshake_cookie.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/cursor.h"

namespace ringway {

CookieKey CookieKey::draw(RandomSource& random, std::int64_t from_slot) {
  CookieKey drawn{.key = {}, .from_slot = from_slot};
  random.fill(drawn.key.mutable_bytes());
  return drawn;
}

HandshakeCookie::HandshakeCookie(Duration hand_window) : slot_(hand_window / 2) {
  RW_ASSERT(hand_window >= 2s);
}

HandshakeCookie::HandshakeCookie(const CookieKey& key, Duration hand_window)
    : HandshakeCookie(hand_window) {
  add_key(key);
}

HandshakeCookie::HandshakeCookie(RandomSource& random, Duration hand_window)
    : HandshakeCookie(CookieKey::draw(random, 0), hand_window) {}

void HandshakeCookie::add_key(const CookieKey& key) {
  older_ = std::move(newest_);
  newest_.emplace(
      DatedKey{.key = HmacKey(key.key.bytes(), Digest::Sha256), .from_slot = key.from_slot});
}

SessionId HandshakeCookie::make(const LinkEndpoint& from, SessionId client, Instant now) const {
  return at_slot(slot_at(now), from, client);
}

bool HandshakeCookie::verify(SessionId cookie, const LinkEndpoint& from, SessionId client,
                             Instant now) const {
  const std::int64_t present = slot_at(now);
  for (std::int64_t age = 0; age < kSlotsAccepted; ++age) {
    // Which slot matched is no secret, so stopping early tells nothing.
    const SessionId expected = at_slot(present - age, from, client);
    if (equal_in_constant_time(expected.bytes, cookie.bytes)) return true;
  }
  return false;
}

const HmacKey& HandshakeCookie::key_of(std::int64_t slot) const {
  RW_ASSERT(newest_.has_value());
  const bool is_older = older_ && slot < newest_->from_slot;
  return is_older ? older_->key : newest_->key;
}

/// HMAC input, 55 bytes, which together with SHA-256's padding is one block:
///
///     slot 8 | remote address 16 | port 2 | scope 4 | local address 16 | listener 1 | client 8
SessionId HandshakeCookie::at_slot(std::int64_t slot, const LinkEndpoint& from,
                                   SessionId client) const {
  std::array<std::uint8_t, 55> input;
  ByteWriter writer(input);
  writer.u64(static_cast<std::uint64_t>(slot));
  writer.bytes(from.remote.address.bytes());
  writer.u16(from.remote.port);
  writer.u32(from.remote.scope_id);
  writer.bytes(from.local.bytes());
  writer.u8(from.listener);
  writer.bytes(client.bytes);
  RW_ASSERT(!writer.overflowed() && writer.left() == 0);

  std::array<std::uint8_t, size_of(Digest::Sha256)> mac;
  key_of(slot).compute({input}, mac);
  SessionId cookie;
  std::ranges::copy(Bytes(mac).first(SessionId::kSize), cookie.bytes.begin());
  if (cookie.is_zero()) cookie.bytes.back() = 1;  // Zero means "no session" on the wire.
  return cookie;
}

}  // namespace ringway
