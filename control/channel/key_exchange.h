#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/secret.h"
#include "base/secret_text.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// The random bytes of one end's key-method-2 message, in the order of the wire. Only a client
/// has a pre_master. Move-only; wiped.
struct KeySource {
  static constexpr std::size_t kPreMasterSize = 48;
  static constexpr std::size_t kRandomSize = 32;

  [[nodiscard]] Bytes pre_master() const { return material.bytes().first(kPreMasterSize); }
  [[nodiscard]] Bytes random1() const {
    return material.bytes().subspan(kPreMasterSize, kRandomSize);
  }
  [[nodiscard]] Bytes random2() const {
    return material.bytes().subspan(kPreMasterSize + kRandomSize, kRandomSize);
  }

  Secret<kPreMasterSize + 2 * kRandomSize> material;
};

/// Why a key-method-2 message is refused. All but the credentials' faults end the TLS session.
enum class KeyExchangeFault : std::uint8_t {
  Truncated,
  NotKeyMethod2,
  /// Without its NUL, with another NUL inside, or longer than the protocol has it.
  BadString,
};
std::string_view name_of(KeyExchangeFault fault);

/// A key-method-2 message:
///
///     zero 4 | method 1 (low four bits: 2) | [pre_master 48] | random1 32 | random2 32 |
///     options | username | password | peer info
///
/// Each string is a u16 length that counts its NUL, the bytes, the NUL; an absent one is a zero
/// length and nothing else. pre_master comes from the client only. Move-only value.
struct KeyExchange {
  static constexpr std::size_t kOptionsSizeMax = 512;
  /// NUL included, as by OpenVPN where it is built with PKCS #11, as Debian's is: a password may be
  /// a token of somebody else's.
  static constexpr std::size_t kCredentialSizeMax = 4096;
  /// Largest message that encode_key_exchange() makes.
  static constexpr std::size_t kSizeMax = 16 * 1024;

  KeySource source;
  std::string options;
  /// Control bytes in either are replaced by '_', as by OpenVPN.
  std::string username;
  std::string password;
  std::string peer_info;
  /// A name or password that is too long or holds a NUL: the login fails, and the client is told
  /// so (security goal B07). Both strings are empty then.
  bool bad_credentials = false;

  KeyExchange() = default;
  KeyExchange(KeyExchange&&) = default;
  KeyExchange& operator=(KeyExchange&&) = default;
  ~KeyExchange();
};

/// `sender` is whose message it is. Strings that are missing at the end are empty; bytes behind the
/// last string are ignored.
std::expected<KeyExchange, KeyExchangeFault> decode_key_exchange(Bytes message, Side sender);
/// The writer's overflowed() says when it did not fit.
void encode_key_exchange(const KeyExchange& exchange, Side sender, ByteWriter& out);

}  // namespace ringway
