#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

/// Hex text to bytes and back, for tests; white space is skipped.
namespace ringway::test {

inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  const auto digit = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  };
  std::vector<std::uint8_t> bytes;
  unsigned half = 0;
  bool pending = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    if (pending) bytes.push_back(static_cast<std::uint8_t>(half << 4 | digit(c)));
    half = digit(c);
    pending = !pending;
  }
  return bytes;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace ringway::test
