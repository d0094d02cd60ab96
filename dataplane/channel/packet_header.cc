#include "dataplane/channel/packet_header.h"

#include "base/check.h"
#include "base/cursor.h"

namespace ringway {

std::expected<DataHeader, Drop> parse_data_header(Bytes datagram) {
  ByteReader reader(datagram);
  const std::uint8_t first = reader.u8();
  if (reader.truncated()) return std::unexpected(Drop::Truncated);

  const Opcode opcode = opcode_of(first);
  if (!is_data(opcode)) return std::unexpected(Drop::UnknownOpcode);
  DataHeader header{.opcode = opcode, .key_id = key_id_of(first), .peer_id = {}};
  if (opcode == Opcode::DataV1) return header;

  const std::uint32_t high = reader.u8();
  const std::uint32_t low = reader.u16();
  if (reader.truncated()) return std::unexpected(Drop::Truncated);
  header.peer_id = {high << 16 | low};
  return header;
}

void write_data_header(const DataHeader& header, MutableBytes out) {
  ByteWriter writer(out);
  writer.u8(first_byte(header.opcode, header.key_id));
  if (header.opcode != Opcode::DataV1) {
    writer.u8(static_cast<std::uint8_t>(header.peer_id.value >> 16));
    writer.u16(static_cast<std::uint16_t>(header.peer_id.value));
  }
  RW_ASSERT(!writer.overflowed());
}

}  // namespace ringway
