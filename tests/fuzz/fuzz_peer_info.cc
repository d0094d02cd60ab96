#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "control/channel/cipher_negotiation.h"
#include "control/channel/options_string.h"
#include "control/channel/peer_info.h"

/// A client's peer info and options string, the latter behind the first '|', and what a server
/// concludes from them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const std::string_view text = text_of(Bytes(data, size));
  const std::size_t bar = text.find('|');
  const PeerInfo info = PeerInfo::parse(text.substr(0, bar));
  const std::string_view options = bar == std::string_view::npos ? "" : text.substr(bar + 1);

  RW_ASSERT(info.lines().size() <= PeerInfo::kLinesMax);
  for (const auto& [name, value] : info.lines()) {
    RW_ASSERT(name.size() + 1 + value.size() <= 255);
    RW_ASSERT(name.find('=') == std::string::npos);
  }
  RW_ASSERT(PeerInfo::parse(info.to_string()).lines() == info.lines());

  constexpr DataCipher kOurs[] = {DataCipher::ChaCha20Poly1305, DataCipher::Aes256Gcm};
  const auto cipher = negotiate_cipher(kOurs, std::nullopt, info, options);
  RW_ASSERT(!cipher || *cipher != DataCipher::Aes128Gcm);
  RW_ASSERT(find_in_options(with_key_direction(options, 1), "keydir").has_value() ||
            options.find(",proto ") == std::string_view::npos);
  (void)takes_pushed_cipher(info);
  (void)takes_tls_key_export(info);
  return 0;
}
