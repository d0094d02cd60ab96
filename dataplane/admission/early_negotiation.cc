#include "dataplane/admission/early_negotiation.h"

#include "base/cursor.h"

namespace ringway {
namespace {

constexpr std::uint16_t kEarlyNegotiationFlags = 1;
constexpr std::uint16_t kResendFlag = 1;

}  // namespace

std::optional<bool> asks_for_wrapped_key(Bytes reset_payload) {
  ByteReader reader(reset_payload);
  bool asks = false;
  while (reader.left() > 0) {
    const std::uint16_t type = reader.u16();
    const std::uint16_t length = reader.u16();
    const Bytes value = reader.take(length);
    if (reader.truncated()) return std::nullopt;
    if (type != kEarlyNegotiationFlags) continue;
    if (length != 2) return std::nullopt;
    asks = (load_be16(value.data()) & kResendFlag) != 0;
  }
  return asks;
}

}  // namespace ringway
