#include "control/channel/key_derivation.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "base/check.h"
#include "base/cursor.h"
#include "control/channel/openssl_handles.h"

namespace ringway {
namespace {

constexpr std::string_view kDataKeysLabel = "EXPORTER-OpenVPN-datakeys";
constexpr std::string_view kWrapKeyLabel = "EXPORTER-OpenVPN-dynamic-tls-crypt";
constexpr std::string_view kMasterLabel = "OpenVPN master secret";
constexpr std::string_view kExpansionLabel = "OpenVPN key expansion";
constexpr std::size_t kMasterSize = 48;
static_assert(kMasterSize == KeySource::kPreMasterSize);
/// A label, two randoms and two session ids.
constexpr std::size_t kSeedSizeMax = 128;
constexpr std::size_t kDirectionSize = 128;
constexpr std::size_t kCipherFieldSize = 64;

using KdfPtr = std::unique_ptr<EVP_KDF, openssl::Deleter<EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, openssl::Deleter<EVP_KDF_CTX_free>>;

/// RFC 2246, section 5: P_MD5 of one half of the secret XOR P_SHA-1 of the other. Its input is in
/// Secrets because the library wants it mutable, although it does not write to it.
bool tls1_prf(Secret<kMasterSize>& secret, std::initializer_list<Bytes> seed_parts,
              MutableBytes out) {
  Secret<kSeedSizeMax> seed;
  ByteWriter writer(seed.mutable_bytes());
  for (const Bytes part : seed_parts) writer.bytes(part);
  RW_ASSERT(!writer.overflowed());

  const KdfPtr kdf(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
  const KdfContextPtr context(kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf.get()));
  char digest[] = "MD5-SHA1";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.mutable_bytes().data(),
                                        kMasterSize),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.mutable_bytes().data(),
                                        writer.size()),
      OSSL_PARAM_construct_end()};
  const bool derived =
      context != nullptr && EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1;
  ERR_clear_error();
  return derived;
}

DirectionKey direction_key(const KeyBlock& block, std::size_t index) {
  const Bytes half = block.bytes().subspan(index * kDirectionSize, kDirectionSize);
  constexpr std::size_t kKeySize = 32;
  DirectionKey key;
  const MutableBytes material = key.material.mutable_bytes();
  std::ranges::copy(half.first(kKeySize), material.begin());
  std::ranges::copy(half.subspan(kCipherFieldSize, DirectionKey::kImplicitIvSize),
                    material.subspan(kKeySize).begin());
  return key;
}

bool is_zero(Bytes key) {
  return std::ranges::all_of(key, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<KeyBlock> derive_by_exporter(const TlsSession& tls) {
  KeyBlock block;
  if (!tls.export_keying_material(kDataKeysLabel, block.mutable_bytes())) return std::nullopt;
  return block;
}

std::optional<KeyBlock> derive_wrap_key(const TlsSession& tls) {
  KeyBlock block;
  if (!tls.export_keying_material(kWrapKeyLabel, block.mutable_bytes())) return std::nullopt;
  return block;
}

std::optional<KeyBlock> derive_by_prf(const KeySource& client, const KeySource& server,
                                      const SessionPair& sessions) {
  Secret<kMasterSize> pre_master(client.pre_master());
  Secret<kMasterSize> master;
  KeyBlock block;
  if (!tls1_prf(pre_master, {bytes_of(kMasterLabel), client.random1(), server.random1()},
                master.mutable_bytes())) {
    return std::nullopt;
  }
  if (!tls1_prf(master,
                {bytes_of(kExpansionLabel), client.random2(), server.random2(),
                 sessions.client.bytes, sessions.server.bytes},
                block.mutable_bytes())) {
    return std::nullopt;
  }
  return block;
}

std::optional<DataKeys> split_key_block(const KeyBlock& block, Side side, KeyId key_id,
                                        DataCipher cipher) {
  constexpr std::size_t kClientToServer = 0;
  constexpr std::size_t kServerToClient = 1;
  const bool is_server = side == Side::Server;
  DataKeys keys;
  keys.key_id = key_id;
  keys.cipher = cipher;
  keys.seal = direction_key(block, is_server ? kServerToClient : kClientToServer);
  keys.open = direction_key(block, is_server ? kClientToServer : kServerToClient);
  if (is_zero(keys.seal.cipher_key(cipher)) || is_zero(keys.open.cipher_key(cipher))) {
    return std::nullopt;
  }
  return keys;
}

}  // namespace ringway
