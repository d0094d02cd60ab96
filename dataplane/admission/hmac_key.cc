#include "dataplane/admission/hmac_key.h"

// OpenSSL 3 calls its flat digest states deprecated in favour of EVP, but an EVP context cannot be
// copied without allocating: the flat state takes 0.10 us for a short HMAC-SHA256 where a
// duplicated EVP_MAC_CTX takes 0.37 us. The first stage meets every stranger's packet (A01).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace ringway {
namespace {

/// One digest of the SHA family, as three functions over a state that is a plain value.
template <typename State>
struct Hash {
  static_assert(std::is_trivially_copyable_v<State>);
  int (*init)(State*);
  int (*update)(State*, const void*, std::size_t);
  int (*final)(unsigned char*, State*);
  std::size_t block_size;
  std::size_t digest_size;
};

constexpr Hash<SHA_CTX> kSha1 = {SHA1_Init, SHA1_Update, SHA1_Final, SHA_CBLOCK, 20};
constexpr Hash<SHA256_CTX> kSha224 = {SHA224_Init, SHA224_Update, SHA224_Final, SHA256_CBLOCK, 28};
constexpr Hash<SHA256_CTX> kSha256 = {SHA256_Init, SHA256_Update, SHA256_Final, SHA256_CBLOCK, 32};
constexpr Hash<SHA512_CTX> kSha384 = {SHA384_Init, SHA384_Update, SHA384_Final, SHA512_CBLOCK, 48};
constexpr Hash<SHA512_CTX> kSha512 = {SHA512_Init, SHA512_Update, SHA512_Final, SHA512_CBLOCK, 64};

template <typename Visitor>
void with_hash(Digest digest, Visitor visit) {
  switch (digest) {
    case Digest::Sha1: return visit(kSha1);
    case Digest::Sha224: return visit(kSha224);
    case Digest::Sha256: return visit(kSha256);
    case Digest::Sha384: return visit(kSha384);
    case Digest::Sha512: return visit(kSha512);
  }
}

/// The state after the key, padded to one block and masked with `mask` (RFC 2104 section 2).
template <typename State>
void absorb_key(const Hash<State>& hash, Bytes key, std::uint8_t mask, MutableBytes out) {
  RW_ASSERT(key.size() <= hash.block_size);
  RW_ASSERT(sizeof(State) == out.size());
  std::array<std::uint8_t, SHA512_CBLOCK> block;
  block.fill(mask);
  for (std::size_t i = 0; i < key.size(); ++i) {
    block[i] = static_cast<std::uint8_t>(block[i] ^ key[i]);
  }

  State state;
  hash.init(&state);
  hash.update(&state, block.data(), hash.block_size);
  std::memcpy(out.data(), &state, sizeof state);

  wipe(block);
  wipe({reinterpret_cast<std::uint8_t*>(&state), sizeof state});
}

}  // namespace

HmacKey::HmacKey(Bytes key, Digest digest) : digest_(digest) {
  with_hash(digest_, [&]<typename State>(const Hash<State>& hash) {
    static_assert(2 * sizeof(State) <= kStatesSize);
    absorb_key(hash, key, 0x36, states_.mutable_bytes().first(sizeof(State)));
    absorb_key(hash, key, 0x5c, states_.mutable_bytes().subspan(sizeof(State), sizeof(State)));
  });
}

void HmacKey::compute(std::initializer_list<Bytes> parts, MutableBytes out) const {
  RW_ASSERT(out.size() == size());
  with_hash(digest_, [&]<typename State>(const Hash<State>& hash) {
    // What is left of `state` on the stack afterwards is digests, not the key.
    State state;
    std::memcpy(&state, states_.bytes().data(), sizeof state);
    for (const Bytes part : parts) hash.update(&state, part.data(), part.size());
    std::array<std::uint8_t, 64> inner;
    hash.final(inner.data(), &state);

    std::memcpy(&state, states_.bytes().subspan(sizeof state).data(), sizeof state);
    hash.update(&state, inner.data(), hash.digest_size);
    hash.final(out.data(), &state);
  });
}

bool HmacKey::verify(std::initializer_list<Bytes> parts, Bytes mac) const {
  std::array<std::uint8_t, 64> expected;
  compute(parts, MutableBytes(expected).first(size()));
  return equal_in_constant_time(Bytes(expected).first(size()), mac);
}

}  // namespace ringway
