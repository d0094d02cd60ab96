#pragma once

#include <expected>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/ids.h"
#include "base/opcode.h"

namespace ringway {

/// What stands in front of the packet id of a data packet. Pure value.
///
///     DATA_V1   [opcode:5 = 6 | key_id:3]                     1 byte
///     DATA_V2   [opcode:5 = 9 | key_id:3] [peer_id:24]        4 bytes
struct DataHeader {
  static constexpr std::size_t kSizeMax = 4;

  Opcode opcode = Opcode::DataV2;
  KeyId key_id;
  /// Unset in DATA_V1, and in a DATA_V2 packet whose sender was never told its peer id: such a
  /// packet is known by its source endpoint only.
  PeerId peer_id;

  [[nodiscard]] std::size_t size() const { return opcode == Opcode::DataV1 ? 1 : kSizeMax; }
};

/// Reads the header at the head of `datagram`. Drop::Truncated or Drop::UnknownOpcode otherwise.
std::expected<DataHeader, Drop> parse_data_header(Bytes datagram);

/// Writes `header` at the head of `out`, which has room for it.
void write_data_header(const DataHeader& header, MutableBytes out);

}  // namespace ringway
