#include "control/channel/options_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ringway {
namespace {

/// The size of a data packet around a tunnel packet, counted as OpenVPN counts it before it knows
/// whether peer ids are in use: one byte of header, and over TCP two of length.
std::size_t data_overhead(const OptionsString& options) {
  const std::size_t header = options.is_tcp ? 3 : 1;
  constexpr std::size_t kPacketId = 4;
  if (options.fallback_cipher) {
    constexpr std::size_t kAeadIv = 12;
    constexpr std::size_t kAeadBlock = 16;
    return header + kPacketId + kAeadTagSize + kAeadIv + kAeadBlock;
  }
  constexpr std::size_t kBlowfishIv = 8;
  constexpr std::size_t kBlowfishBlock = 8;
  return header + kPacketId + size_of(options.auth) + kBlowfishIv + kBlowfishBlock;
}

}  // namespace

std::string OptionsString::to_string() const {
  const std::string_view tcp = side == Side::Server ? "TCPv4_SERVER" : "TCPv4_CLIENT";
  std::string text = fmt::format("V4,dev-type tun,link-mtu {},tun-mtu {},proto {}",
                                 tun_mtu + data_overhead(*this), tun_mtu, is_tcp ? tcp : "UDPv4");
  if (tls_auth && key_direction) text += fmt::format(",keydir {}", *key_direction);
  if (fallback_cipher) {
    text += fmt::format(",cipher {},auth [null-digest],keysize {}",
                        ringway::name_of(*fallback_cipher), 8 * key_size_of(*fallback_cipher));
  } else {
    text += fmt::format(",auth {},keysize 128", ringway::name_of(auth));
  }
  if (tls_auth) text += ",tls-auth";
  text += side == Side::Server ? ",key-method 2,tls-server" : ",key-method 2,tls-client";
  return text;
}

std::string with_key_direction(std::string_view options, int direction) {
  std::string text(options);
  if (find_in_options(options, "keydir")) return text;
  const std::size_t proto = text.find(",proto ");
  if (proto == std::string::npos) return text;
  const std::size_t end = std::min(text.find(',', proto + 1), text.size());
  text.insert(end, fmt::format(",keydir {}", direction));
  return text;
}

bool frames_compression(std::string_view options) {
  return find_in_options(options, "comp-lzo").has_value();
}

std::string with_compression_framing(std::string_view options) {
  constexpr std::string_view kLinkMtu = ",link-mtu ";
  std::string text(options);
  const std::size_t found = text.find(kLinkMtu);
  if (found != std::string::npos) {
    const std::size_t begin = found + kLinkMtu.size();
    const std::size_t end = std::min(text.find(',', begin), text.size());
    unsigned link_mtu = 0;
    std::from_chars(text.data() + begin, text.data() + end, link_mtu);
    text.replace(begin, end - begin, std::to_string(link_mtu + 1));
  }
  return text + ",comp-lzo";
}

std::optional<std::string_view> find_in_options(std::string_view options, std::string_view name) {
  while (!options.empty()) {
    const std::size_t end = std::min(options.find(','), options.size());
    const std::string_view element = options.substr(0, end);
    options.remove_prefix(std::min(end + 1, options.size()));
    if (element == name) return std::string_view{};
    if (element.starts_with(name) && element[name.size()] == ' ') {
      return element.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace ringway
