#include "dataplane/admission/tls_auth.h"

#include "base/check.h"
#include "base/cursor.h"

namespace ringway {
namespace {

/// Which HMAC field of the static key an end sends with; the other end receives with the same.
unsigned send_field(std::optional<int> direction) { return direction == 1 ? 1 : 0; }
unsigned receive_field(std::optional<int> direction) { return direction == 0 ? 1 : 0; }

/// The algorithm takes as many leading bytes of the field as its digest is long.
HmacKey key_of(const StaticKey& key, unsigned field, Digest digest) {
  return HmacKey(key.hmac_field(field).first(size_of(digest)), digest);
}

}  // namespace

TlsAuth::TlsAuth(const StaticKey& key, std::optional<int> direction, Digest digest)
    : direction_(direction),
      send_key_(key_of(key, send_field(direction), digest)),
      receive_key_(key_of(key, receive_field(direction), digest)) {
  RW_ASSERT(!direction || *direction == 0 || *direction == 1);
}

std::expected<Unwrapped, Drop> TlsAuth::unwrap(Bytes datagram, MutableBytes scratch) const {
  RW_ASSERT(scratch.size() >= datagram.size());
  ByteReader reader(datagram);
  const Bytes head = reader.take(kHeadSize);
  const Bytes mac = reader.take(receive_key_.size());
  const Bytes stamp = reader.take(kStampSize);
  const Bytes rest = reader.take_rest();
  if (reader.truncated()) return std::unexpected(Drop::BadWrap);
  if (!receive_key_.verify({stamp, head, rest}, mac)) return std::unexpected(Drop::BadWrap);

  ByteWriter plain(scratch);
  plain.bytes(head);
  plain.bytes(rest);
  ByteReader stamp_reader(stamp);
  const std::uint32_t id = stamp_reader.u32();
  const std::uint32_t time = stamp_reader.u32();
  return Unwrapped{.plain = plain.written(), .stamp = {.id = id, .time = time}};
}

Bytes TlsAuth::wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const {
  RW_ASSERT(plain.size() >= kHeadSize);
  const Bytes head = plain.first(kHeadSize);
  const Bytes rest = plain.subspan(kHeadSize);

  ByteWriter writer(out);
  writer.bytes(head);
  const MutableBytes mac = writer.reserve(send_key_.size());
  const MutableBytes stamp_field = writer.reserve(kStampSize);
  writer.bytes(rest);
  RW_ASSERT(!writer.overflowed());

  store_be32(stamp_field.data(), stamp.id);
  store_be32(stamp_field.data() + 4, stamp.time);
  send_key_.compute({stamp_field, head, rest}, mac);
  return writer.written();
}

}  // namespace ringway
