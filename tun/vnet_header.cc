#include "tun/vnet_header.h"

#include <cstring>

#include "base/cursor.h"

namespace ringway {
namespace {

constexpr std::uint8_t kNeedsChecksum = 0x01;
constexpr std::uint8_t kGsoEcn = 0x80;
constexpr std::size_t kPacketMax = 65535;
constexpr std::size_t kChecksumSize = 2;

std::uint16_t read_native16(ByteReader& reader) {
  std::uint16_t value = 0;
  const Bytes field = reader.take(sizeof value);
  if (!field.empty()) std::memcpy(&value, field.data(), sizeof value);
  return value;
}

void write_native16(ByteWriter& writer, std::uint16_t value) {
  std::uint8_t raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  writer.bytes(raw);
}

bool is_known(std::uint8_t gso_type) {
  switch (static_cast<GsoType>(gso_type)) {
    case GsoType::None:
    case GsoType::TcpV4:
    case GsoType::TcpV6:
    case GsoType::UdpL4: return true;
  }
  return false;
}

}  // namespace

///  flags:8  gso_type:8  hdr_len:16  gso_size:16  csum_start:16  csum_offset:16
std::expected<VnetHeader, Drop> parse_vnet_header(Bytes frame) {
  ByteReader reader(frame);
  const std::uint8_t flags = reader.u8();
  const std::uint8_t gso_type = reader.u8();
  VnetHeader header{.needs_checksum = (flags & kNeedsChecksum) != 0,
                    .has_cwr = (gso_type & kGsoEcn) != 0};
  header.header_size = read_native16(reader);
  header.gso_size = read_native16(reader);
  header.checksum_start = read_native16(reader);
  header.checksum_offset = read_native16(reader);
  if (reader.truncated()) return std::unexpected(Drop::BadVnetHeader);

  const std::uint8_t plain_type = gso_type & static_cast<std::uint8_t>(~kGsoEcn);
  const std::size_t packet_size = reader.left();
  if (!is_known(plain_type) || packet_size > kPacketMax) {
    return std::unexpected(Drop::BadVnetHeader);
  }
  header.gso_type = static_cast<GsoType>(plain_type);
  if (header.is_gso() && header.gso_size == 0) return std::unexpected(Drop::BadVnetHeader);
  const std::size_t checksum_end =
      std::size_t{header.checksum_start} + header.checksum_offset + kChecksumSize;
  if (header.needs_checksum && checksum_end > packet_size) {
    return std::unexpected(Drop::BadVnetHeader);
  }
  return header;
}

void write_vnet_header(std::span<std::uint8_t, kVnetHeaderSize> out, const VnetHeader& header) {
  ByteWriter writer(out);
  writer.u8(header.needs_checksum ? kNeedsChecksum : std::uint8_t{0});
  const auto type = static_cast<std::uint8_t>(header.gso_type);
  writer.u8(header.has_cwr ? static_cast<std::uint8_t>(type | kGsoEcn) : type);
  write_native16(writer, header.header_size);
  write_native16(writer, header.gso_size);
  write_native16(writer, header.checksum_start);
  write_native16(writer, header.checksum_offset);
}

}  // namespace ringway
