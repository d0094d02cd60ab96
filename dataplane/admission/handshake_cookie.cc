#include "dataplane/admission/handshake_cookie.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/cursor.h"
#include "base/secret.h"

namespace ringway {
namespace {

/// The present slot and the two before: a client on a slow link may answer a whole hand-window
/// after the reset that it got at the end of a slot.
constexpr std::int64_t kSlotsAccepted = 3;

HmacKey draw_key(RandomSource& random) {
  Secret<32> key;
  random.fill(key.mutable_bytes());
  return HmacKey(key.bytes(), Digest::Sha256);
}

}  // namespace

HandshakeCookie::HandshakeCookie(RandomSource& random, Duration hand_window)
    : key_(draw_key(random)), slot_(hand_window / 2) {
  RW_ASSERT(hand_window >= 2s);
}

SessionId HandshakeCookie::make(const LinkEndpoint& from, SessionId client, Instant now) const {
  return at_slot(now.since_start / slot_, from, client);
}

bool HandshakeCookie::verify(SessionId cookie, const LinkEndpoint& from, SessionId client,
                             Instant now) const {
  const std::int64_t present = now.since_start / slot_;
  for (std::int64_t age = 0; age < kSlotsAccepted; ++age) {
    // Which slot matched is no secret, so stopping early tells nothing.
    const SessionId expected = at_slot(present - age, from, client);
    if (equal_in_constant_time(expected.bytes, cookie.bytes)) return true;
  }
  return false;
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
  key_.compute({input}, mac);
  SessionId cookie;
  std::ranges::copy(Bytes(mac).first(SessionId::kSize), cookie.bytes.begin());
  if (cookie.is_zero()) cookie.bytes.back() = 1;  // Zero means "no session" on the wire.
  return cookie;
}

}  // namespace ringway
