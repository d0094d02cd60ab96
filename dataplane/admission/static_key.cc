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
    "server and clients share one such key; a new one is made by: ringway genkey tls-crypt FILE";

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

std::string StaticKey::to_text() const {
  constexpr std::size_t kBytesPerLine = 16;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "#\n# 2048 bit OpenVPN static key\n#\n";
  text.reserve(1024);  // One piece of memory, so that whoever holds the text can wipe all of it.
  text.append(kHeader).append("\n");
  for (std::size_t i = 0; i < kSize; ++i) {
    text += kDigits[raw_.bytes()[i] >> 4];
    text += kDigits[raw_.bytes()[i] & 15];
    if (i % kBytesPerLine == kBytesPerLine - 1) text += '\n';
  }
  text.append(kFooter).append("\n");
  return text;
}

StaticKey StaticKey::from_bytes(Bytes raw) {
  RW_ASSERT(raw.size() == kSize);
  StaticKey key;
  std::ranges::copy(raw, key.raw_.mutable_bytes().begin());
  return key;
}

}  // namespace ringway
