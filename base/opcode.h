#pragma once

#include <cstdint>

#include "base/ids.h"

namespace ringway {

/// The upper five bits of a packet's first byte; the lower three are the KeyId.
enum class Opcode : std::uint8_t {
  SoftResetV1 = 3,
  ControlV1 = 4,
  AckV1 = 5,
  DataV1 = 6,
  HardResetClientV2 = 7,
  HardResetServerV2 = 8,
  DataV2 = 9,
  HardResetClientV3 = 10,
  ControlWkcV1 = 11,
};

constexpr std::uint8_t first_byte(Opcode opcode, KeyId key_id) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(opcode) << 3 | (key_id.value & 7u));
}
constexpr Opcode opcode_of(std::uint8_t first) { return static_cast<Opcode>(first >> 3); }
constexpr KeyId key_id_of(std::uint8_t first) { return {static_cast<std::uint8_t>(first & 7)}; }
constexpr bool is_data(Opcode opcode) {
  return opcode == Opcode::DataV1 || opcode == Opcode::DataV2;
}
/// The client's own key stands at the end of the datagram (tls-crypt-v2).
constexpr bool carries_wrapped_key(Opcode opcode) {
  return opcode == Opcode::HardResetClientV3 || opcode == Opcode::ControlWkcV1;
}

}  // namespace ringway
