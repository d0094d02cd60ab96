#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ringway {

/// The data ciphers that Ringway speaks; all are AEADs with a 16-byte tag and a 12-byte nonce.
enum class DataCipher : std::uint8_t { Aes128Gcm, Aes256Gcm, ChaCha20Poly1305 };

inline constexpr std::size_t kAeadTagSize = 16;
inline constexpr std::size_t kAeadNonceSize = 12;

constexpr std::size_t key_size_of(DataCipher cipher) {
  return cipher == DataCipher::Aes128Gcm ? 16 : 32;
}

/// OpenVPN's name, e.g. "AES-256-GCM".
constexpr std::string_view name_of(DataCipher cipher) {
  switch (cipher) {
    case DataCipher::Aes128Gcm: return "AES-128-GCM";
    case DataCipher::Aes256Gcm: return "AES-256-GCM";
    case DataCipher::ChaCha20Poly1305: return "CHACHA20-POLY1305";
  }
  return "";
}

/// Case-insensitive; nothing for a cipher that Ringway does not speak.
std::optional<DataCipher> parse_data_cipher(std::string_view name);

}  // namespace ringway
