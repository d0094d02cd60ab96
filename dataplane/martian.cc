#include "dataplane/martian.h"

#include <algorithm>

namespace ringway {
namespace {

bool is_martian_v4(std::uint32_t address) {
  const std::uint32_t top = address >> 24;
  if (top == 0 || top == 127) return true;
  if (address >> 16 == 0xa9fe) return true;
  return address >> 28 == 0xe || address == 0xffff'ffff;
}

}  // namespace

bool is_martian(const IpAddress& address) {
  if (address.is_v4()) return is_martian_v4(address.v4_value());
  const auto& bytes = address.bytes();
  if (bytes[0] == 0xff) return true;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return true;
  return std::ranges::all_of(Bytes(bytes).first(12), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace ringway
