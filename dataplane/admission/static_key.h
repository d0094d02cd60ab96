#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace ringway {

/// The 256 bytes of an "OpenVPN Static key V1" file: two keys, each a 64-byte cipher field and a
/// 64-byte HMAC field. Immutable after parsing.
class StaticKey {
 public:
  static constexpr std::size_t kSize = 256;

  /// Text before the header is ignored, hex digits may break anywhere, white space is skipped.
  /// `where` is named in errors.
  static Result<StaticKey> parse(std::string_view file_text, std::string_view where);
  static StaticKey from_bytes(Bytes raw);

  /// The file, as stock OpenVPN writes it: three lines of comment, 16 of 32 digits.
  [[nodiscard]] std::string to_text() const;

  /// `index` is 0 or 1.
  [[nodiscard]] Bytes cipher_field(unsigned index) const {
    return raw_.bytes().subspan(index * 128, 64);
  }
  [[nodiscard]] Bytes hmac_field(unsigned index) const {
    return raw_.bytes().subspan(index * 128 + 64, 64);
  }
  /// All 256.
  [[nodiscard]] Bytes bytes() const { return raw_.bytes(); }
  [[nodiscard]] StaticKey copy() const { return from_bytes(raw_.bytes()); }

 private:
  Secret<kSize> raw_;
};

}  // namespace ringway
