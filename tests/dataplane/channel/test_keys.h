#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/channel/data_keys.h"
#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

/// Data keys for tests: both ends of a negotiation, from a seed or from a known-answer vector.
namespace ringway::test {

inline constexpr Instant kStart{1000s};

inline DataKeys make_keys(KeyId key_id, std::uint64_t seed,
                          DataCipher cipher = DataCipher::Aes256Gcm) {
  SeededRandom random(seed);
  DataKeys keys;
  keys.key_id = key_id;
  keys.cipher = cipher;
  random.fill(keys.seal.material.mutable_bytes());
  random.fill(keys.open.material.mutable_bytes());
  keys.send_from = kStart;
  keys.previous_expires_at = kStart + 1h;
  return keys;
}

/// The other end of make_keys() with the same arguments.
inline DataKeys make_peer_keys(KeyId key_id, std::uint64_t seed,
                               DataCipher cipher = DataCipher::Aes256Gcm) {
  DataKeys keys = make_keys(key_id, seed, cipher);
  std::swap(keys.seal, keys.open);
  return keys;
}

inline void fill_direction_key(DirectionKey& key, Bytes cipher_key, Bytes implicit_iv) {
  std::ranges::copy(cipher_key, key.material.mutable_bytes().begin());
  std::ranges::copy(implicit_iv, key.material.mutable_bytes().begin() + 32);
}

/// Keys that seal and open what the vector shows (fields cipher, key, implicit_iv, keyid).
inline DataKeys keys_of_vector(const Vector& vector) {
  DataKeys keys;
  keys.cipher = vector.json().contains("cipher") ? parse_data_cipher(vector.text("cipher")).value()
                                                 : DataCipher::Aes256Gcm;
  if (vector.json().contains("keyid"))
    keys.key_id = {vector.json().at("keyid").get<std::uint8_t>()};
  for (DirectionKey* key : {&keys.seal, &keys.open})
    fill_direction_key(*key, vector.bytes("key"), vector.bytes("implicit_iv"));
  return keys;
}

}  // namespace ringway::test
