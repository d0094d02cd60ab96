#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/time.h"
#include "dataplane/admission/hmac_key.h"
#include "dataplane/admission/static_key.h"

/// tls-crypt-v2: every client has a tls-crypt key of its own, which the server does not keep. The
/// client brings it along, wrapped under a key that only the server has (docs/WIRE.md 3.6):
///
///     WKc = tag 32 | AES-256-CTR(key 256 | metadata 0..734) | length 2
///
/// `length` is that of the whole and stands last, so that it can be cut off the end of a datagram.
/// The tag is HMAC-SHA256 over length, key and metadata; its first half is the counter block.
/// Pure.
namespace ringway {

inline constexpr std::size_t kWrappedKeySizeMin = 32 + StaticKey::kSize + 2;
inline constexpr std::size_t kWrappedKeySizeMax = 1024;
inline constexpr std::size_t kKeyMetadataSizeMax = kWrappedKeySizeMax - kWrappedKeySizeMin;

/// What the server wrote into a client's key when it was made. Only the first byte has a meaning of
/// its own.
struct KeyMetadata {
  enum class Type : std::uint8_t { User = 0, Timestamp = 1 };

  std::array<std::uint8_t, kKeyMetadataSizeMax> bytes{};
  std::size_t size = 0;

  [[nodiscard]] Bytes view() const { return Bytes(bytes).first(size); }
  /// When the key was made; nothing where the metadata is something else.
  [[nodiscard]] std::optional<UnixTime> made_at() const;

  static KeyMetadata timestamp(UnixTime made_at);
  /// `body` is at most kKeyMetadataSizeMax - 1 bytes.
  static KeyMetadata user(Bytes body);
};

/// A client's key, and what it says about itself.
struct UnwrappedClientKey {
  StaticKey key;
  KeyMetadata metadata;
};

/// The server's key. Immutable after construction, so threads may share it.
class TlsCryptV2ServerKey {
 public:
  static constexpr std::size_t kSize = 128;

  /// An "OpenVPN tls-crypt-v2 server key" file; `where` is named in errors.
  static Result<TlsCryptV2ServerKey> parse(std::string_view pem, std::string_view where);
  static TlsCryptV2ServerKey from_bytes(Bytes raw);

  [[nodiscard]] std::vector<std::uint8_t> wrap(const StaticKey& key,
                                               const KeyMetadata& metadata) const;
  /// Error: BadWrap, whatever is wrong.
  [[nodiscard]] std::expected<UnwrappedClientKey, Drop> unwrap(Bytes wrapped) const;

 private:
  explicit TlsCryptV2ServerKey(Bytes raw);

  Secret<32> cipher_;
  HmacKey hmac_;
};

/// A client's key file: its key, and that same key as only the server can read it.
struct TlsCryptV2ClientKey {
  StaticKey key;
  std::vector<std::uint8_t> wrapped;

  /// An "OpenVPN tls-crypt-v2 client key" file.
  static Result<TlsCryptV2ClientKey> parse(std::string_view pem, std::string_view where);
};

/// A datagram that ends with a wrapped key, cut in two. Error: BadWrap where there is none, or
/// nothing in front of it.
struct CutDatagram {
  Bytes packet;
  Bytes wrapped;
};
std::expected<CutDatagram, Drop> cut_wrapped_key(Bytes datagram);

/// The key files that are one PEM block, as stock OpenVPN reads them.
enum class PemKey : std::uint8_t {
  TlsCryptV2Server,  ///< 128 bytes
  TlsCryptV2Client,  ///< 256 bytes, then their wrapped form
  AuthToken,         ///< 128 bytes
};
std::string pem_key_text(PemKey kind, Bytes raw);

}  // namespace ringway
