#include "dataplane/admission/tls_crypt.h"

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/tls_crypt_stream.h"

namespace ringway {
namespace {

constexpr std::size_t kCounterBlockSize = 16;

}  // namespace

TlsCrypt::Keys TlsCrypt::keys_of(const StaticKey& key, unsigned index) {
  return {.cipher = Secret<32>(key.cipher_field(index).first(32)),
          .hmac = HmacKey(key.hmac_field(index).first(32), Digest::Sha256)};
}

TlsCrypt::TlsCrypt(const StaticKey& key, Side side)
    : send_(keys_of(key, side == Side::Server ? 0 : 1)),
      receive_(keys_of(key, side == Side::Server ? 1 : 0)) {}

std::expected<Unwrapped, Drop> TlsCrypt::unwrap(Bytes datagram, MutableBytes scratch) const {
  RW_ASSERT(scratch.size() >= datagram.size());
  ByteReader reader(datagram);
  const Bytes clear = reader.take(kHeadSize + kStampSize);
  const Bytes tag = reader.take(kTagSize);
  const Bytes ciphertext = reader.take_rest();
  if (reader.truncated()) return std::unexpected(Drop::BadWrap);

  ByteWriter plain(scratch);
  plain.bytes(clear.first(kHeadSize));
  const MutableBytes rest = plain.reserve(ciphertext.size());
  apply_keystream(receive_.cipher.bytes(), tag.first(kCounterBlockSize), ciphertext, rest);
  if (!receive_.hmac.verify({clear, rest}, tag)) return std::unexpected(Drop::BadWrap);

  ByteReader stamp(clear.subspan(kHeadSize));
  const std::uint32_t id = stamp.u32();
  const std::uint32_t time = stamp.u32();
  return Unwrapped{.plain = plain.written(), .stamp = {.id = id, .time = time}};
}

Bytes TlsCrypt::wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const {
  RW_ASSERT(plain.size() >= kHeadSize);
  const Bytes rest = plain.subspan(kHeadSize);

  ByteWriter writer(out);
  writer.bytes(plain.first(kHeadSize));
  writer.u32(stamp.id);
  writer.u32(stamp.time);
  const MutableBytes tag = writer.reserve(kTagSize);
  const MutableBytes ciphertext = writer.reserve(rest.size());
  RW_ASSERT(!writer.overflowed());

  send_.hmac.compute({Bytes(out).first(kHeadSize + kStampSize), rest}, tag);
  apply_keystream(send_.cipher.bytes(), Bytes(tag).first(kCounterBlockSize), rest, ciphertext);
  return writer.written();
}

}  // namespace ringway
