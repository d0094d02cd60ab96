#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "dataplane/channel/aead.h"
#include "tests/support/seeded_random.h"

/// What the tests of AEAD engines share: every engine with every cipher, and packets to try.
namespace ringway::test {

struct EngineCase {
  AeadEngine engine;
  DataCipher cipher;

  [[nodiscard]] std::string name() const {
    return std::string(name_of(engine)) + " " + std::string(name_of(cipher));
  }
  [[nodiscard]] AeadEngines engines() const {
    AeadChoice choice;
    choice.set(cipher, engine);
    return AeadEngines(choice);
  }
};

/// RINGWAY_SEED, or `fallback`.
inline std::uint64_t seed_or(std::uint64_t fallback) {
  const char* const text = std::getenv("RINGWAY_SEED");  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// What this build and this machine can do.
inline std::vector<EngineCase> engine_cases() {
  std::vector<EngineCase> cases;
  for (const AeadEngine engine : kAeadEngines) {
    if (!is_built_in(engine)) continue;
    if (engine == AeadEngine::IpsecMb && !IpsecMb::open()) continue;
    for (const DataCipher cipher : kDataCiphers) {
      if (can_serve(engine, cipher)) cases.push_back({engine, cipher});
    }
  }
  return cases;
}

inline AeadNonce aead_nonce_of(Bytes bytes) {
  AeadNonce nonce{};
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

/// One sealed packet with all that goes into it.
struct SealedPacket {
  AeadNonce nonce{};
  std::vector<std::uint8_t> associated;
  std::vector<std::uint8_t> plaintext;
  std::vector<std::uint8_t> ciphertext;
  std::array<std::uint8_t, kAeadTagSize> tag{};

  /// A packet that is not sealed yet.
  static SealedPacket random(SeededRandom& random, std::size_t size) {
    SealedPacket packet;
    random.fill(packet.nonce);
    packet.associated.resize(8);
    random.fill(packet.associated);
    packet.plaintext.resize(size);
    random.fill(packet.plaintext);
    packet.ciphertext.resize(size);
    return packet;
  }
  template <typename Engine>
  void seal_with(Engine& engine) {
    engine.seal(nonce, associated, plaintext, ciphertext, tag);
  }
  /// Whether it opens, to what was sealed.
  template <typename Engine>
  [[nodiscard]] bool opens_with(Engine& engine) const {
    std::vector<std::uint8_t> opened(ciphertext.size());
    return engine.open(nonce, associated, ciphertext, tag, opened) && opened == plaintext;
  }
};

}  // namespace ringway::test
