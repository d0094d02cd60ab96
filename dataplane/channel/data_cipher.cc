#include "dataplane/channel/data_cipher.h"

#include <algorithm>

namespace ringway {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::optional<DataCipher> parse_data_cipher(std::string_view name) {
  constexpr DataCipher kAll[] = {DataCipher::Aes128Gcm, DataCipher::Aes256Gcm,
                                 DataCipher::ChaCha20Poly1305};
  const auto* const found = std::ranges::find_if(kAll, [&](DataCipher cipher) {
    return std::ranges::equal(name, name_of(cipher), {}, upper);
  });
  if (found == std::end(kAll)) return std::nullopt;
  return *found;
}

}  // namespace ringway
