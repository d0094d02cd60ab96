#include "dataplane/admission/static_key.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::string_view kHeader = "-----BEGIN OpenVPN Static key V1-----";
constexpr std::string_view kFooter = "-----END OpenVPN Static key V1-----";
constexpr std::string_view kAdvice =
    "server and clients share one such key; a new one is made by: openvpn --genkey secret FILE";

std::optional<std::uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

/// "where:line" of the character at `offset`.
std::string place(std::string_view where, std::string_view text, std::size_t offset) {
  const auto line = 1 + std::ranges::count(text.substr(0, offset), '\n');
  return std::string(where) + ":" + std::to_string(line);
}

std::unexpected<Error> refuse(std::string what, std::string where) {
  return fail(std::move(what), std::move(where), std::string(kAdvice));
}

}  // namespace

Result<StaticKey> StaticKey::parse(std::string_view file_text, std::string_view where) {
  const std::size_t header = file_text.find(kHeader);
  if (header == std::string_view::npos) {
    return refuse("no line \"" + std::string(kHeader) + "\" in the key file", std::string(where));
  }
  const std::size_t begin = header + kHeader.size();
  const std::size_t end = file_text.find(kFooter, begin);
  if (end == std::string_view::npos) {
    return refuse("the key file ends before its line \"" + std::string(kFooter) + "\"",
                  std::string(where));
  }

  StaticKey key;
  const MutableBytes raw = key.raw_.mutable_bytes();
  std::size_t digit_count = 0;
  for (std::size_t at = begin; at < end; ++at) {
    if (is_space(file_text[at])) continue;
    const auto digit = hex_digit(file_text[at]);
    if (!digit) {
      return refuse("a character that is no hexadecimal digit", place(where, file_text, at));
    }
    if (digit_count == 2 * kSize) {
      return refuse("the key is longer than 256 bytes", place(where, file_text, at));
    }
    std::uint8_t& byte = raw[digit_count / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | *digit);
    ++digit_count;
  }
  if (digit_count != 2 * kSize) {
    return refuse(
        "the key has " + std::to_string(digit_count) + " hexadecimal digits where 512 are needed",
        std::string(where));
  }
  return key;
}

StaticKey StaticKey::from_bytes(Bytes raw) {
  RW_ASSERT(raw.size() == kSize);
  StaticKey key;
  std::ranges::copy(raw, key.raw_.mutable_bytes().begin());
  return key;
}

}  // namespace ringway
