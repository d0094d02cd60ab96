#include "dataplane/channel/epoch_schedule.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"

namespace ringway {
namespace {

constexpr std::string_view kPrefix = "ovpn ";
constexpr std::string_view kUpdateLabel = "datakey upd";
constexpr std::string_view kKeyLabel = "data_key";
constexpr std::string_view kIvLabel = "data_iv";
/// Sizes, prefix, label, an empty context and HKDF's block number.
constexpr std::size_t kInfoSizeMax = 64;

static_assert(crypto_auth_hmacsha256_KEYBYTES == EpochSchedule::kSecretSize);

}  // namespace

void expand_label(Bytes secret, std::string_view label, MutableBytes out) {
  RW_ASSERT(secret.size() == crypto_auth_hmacsha256_KEYBYTES);
  RW_ASSERT(out.size() <= crypto_auth_hmacsha256_BYTES);
  std::array<std::uint8_t, kInfoSizeMax> info;
  ByteWriter writer(info);
  writer.u16(static_cast<std::uint16_t>(out.size()));
  writer.u8(static_cast<std::uint8_t>(kPrefix.size() + label.size()));
  writer.bytes(bytes_of(kPrefix));
  writer.bytes(bytes_of(label));
  writer.u8(0);  // No context.
  writer.u8(1);  // RFC 5869 2.3: T(1), of which `out` is the head.
  RW_ASSERT(!writer.overflowed());

  Secret<crypto_auth_hmacsha256_BYTES> block;
  crypto_auth_hmacsha256(block.mutable_bytes().data(), writer.written().data(), writer.size(),
                         secret.data());
  std::ranges::copy(block.bytes().first(out.size()), out.begin());
}

void EpochSchedule::advance() {
  RW_ASSERT(epoch_ < 0xffff);
  ++epoch_;
  Secret<kSecretSize> next;
  expand_label(secret_.bytes(), kUpdateLabel, next.mutable_bytes());
  secret_ = std::move(next);
}

EpochSchedule::Keys EpochSchedule::derive(DataCipher cipher) const {
  Keys keys;
  expand_label(secret_.bytes(), kKeyLabel, keys.key.mutable_bytes().first(key_size_of(cipher)));
  expand_label(secret_.bytes(), kIvLabel, keys.iv);
  return keys;
}

}  // namespace ringway
