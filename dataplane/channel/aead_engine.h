#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/channel/data_cipher.h"

namespace ringway {

/// Who computes the AEADs. In the order of preference where two are equally fast.
enum class AeadEngine : std::uint8_t { IpsecMb, Openssl, Libsodium };

inline constexpr std::array kAeadEngines = {AeadEngine::IpsecMb, AeadEngine::Openssl,
                                            AeadEngine::Libsodium};
inline constexpr std::array kDataCiphers = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm,
                                            DataCipher::ChaCha20Poly1305};

constexpr std::string_view name_of(AeadEngine engine) {
  switch (engine) {
    case AeadEngine::IpsecMb: return "ipsec-mb";
    case AeadEngine::Openssl: return "openssl";
    case AeadEngine::Libsodium: return "libsodium";
  }
  return "";
}

std::optional<AeadEngine> parse_aead_engine(std::string_view name);

/// Whether this build has the engine: ipsec-mb is there on x86-64 only, and where its headers were.
[[nodiscard]] bool is_built_in(AeadEngine engine);

/// Whether the engine knows the cipher. libsodium has AES-256-GCM, but not for every processor and
/// not AES-128, so it serves ChaCha20-Poly1305 alone.
[[nodiscard]] constexpr bool can_serve(AeadEngine engine, DataCipher cipher) {
  return engine != AeadEngine::Libsodium || cipher == DataCipher::ChaCha20Poly1305;
}

}  // namespace ringway
