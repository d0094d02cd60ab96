#include "control/channel/options_string.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/cursor.h"

// The options string of a key-method-2 message: what we say, for any settings, is found in it again
// by name; and what a peer says, whatever that is, comes back with one element more and no other
// changed. The input: seven bytes of settings, and the peer's text.

namespace ringway {
namespace {

OptionsString read_settings(ByteReader& reader) {
  const std::uint8_t flags = reader.u8();
  OptionsString options;
  options.side = (flags & 1) != 0 ? Side::Server : Side::Client;
  options.is_tcp = (flags & 2) != 0;
  options.tls_auth = (flags & 4) != 0;
  if ((flags & 8) != 0) options.key_direction = reader.u8() % 2;
  if ((flags & 16) != 0) options.fallback_cipher = DataCipher::Aes256Gcm;
  options.auth = (flags & 32) != 0 ? Digest::Sha256 : Digest::Sha1;
  options.tun_mtu = reader.u16();
  return options;
}

void check_ours(const OptionsString& options) {
  const std::string text = options.to_string();
  RW_ASSERT(find_in_options(text, "tun-mtu") == std::to_string(options.tun_mtu));
  RW_ASSERT(find_in_options(text, "dev-type") == "tun");
  RW_ASSERT(find_in_options(text, "key-method") == "2");
  RW_ASSERT(find_in_options(text, "tls-auth").has_value() == options.tls_auth);
  RW_ASSERT(find_in_options(text, "keydir").has_value() ==
            (options.tls_auth && options.key_direction.has_value()));
  RW_ASSERT(find_in_options(text, "tls-server").has_value() == (options.side == Side::Server));
  RW_ASSERT(!frames_compression(text));
}

void check_theirs(std::string_view text) {
  for (const int direction : {0, 1}) {
    const std::string with = with_key_direction(text, direction);
    const bool has_place = text.find(",proto ") != std::string_view::npos;
    RW_ASSERT(find_in_options(with, "keydir").has_value() ==
              (has_place || find_in_options(text, "keydir").has_value()));
    RW_ASSERT(with.size() - text.size() <= std::string_view(",keydir 0").size());
    RW_ASSERT(with_key_direction(with, 1 - direction) == with);
  }
  const std::string framed = with_compression_framing(text);
  RW_ASSERT(frames_compression(framed));
  for (const std::string_view name : {"proto", "cipher", "auth", "keysize", "key-method"}) {
    RW_ASSERT(find_in_options(framed, name) == find_in_options(text, name));
  }
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  ByteReader reader({data, size});
  check_ours(read_settings(reader));
  check_theirs(text_of(reader.take_rest()));
  return 0;
}
