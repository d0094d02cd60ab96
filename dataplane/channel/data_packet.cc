#include "dataplane/channel/data_packet.h"

#include "base/check.h"

namespace ringway {
namespace {

// Where everything lies in a datagram that is long enough.
struct Layout {
  MutableBytes associated;
  MutableBytes packet_id;
  MutableBytes tag;
  MutableBytes text;
};

Layout layout_of(bool in_epochs, const DataHeader& header, MutableBytes datagram) {
  if (in_epochs) {
    return {.associated = datagram.first(kEpochPayloadOffset),
            .packet_id = datagram.subspan(DataHeader::kSizeMax, kEpochPacketIdSize),
            .tag = datagram.last(kAeadTagSize),
            .text = datagram.subspan(kEpochPayloadOffset, datagram.size() - kEpochOverhead)};
  }
  const std::size_t size = header.size();
  const std::size_t left_out = header.opcode == Opcode::DataV1 ? size : 0;
  return {.associated = datagram.subspan(left_out, size - left_out + kShortPacketIdSize),
          .packet_id = datagram.subspan(size, kShortPacketIdSize),
          .tag = datagram.subspan(size + kShortPacketIdSize, kAeadTagSize),
          .text = datagram.subspan(data_overhead(size))};
}

std::size_t overhead_of(bool in_epochs, const DataHeader& header) {
  return in_epochs ? kEpochOverhead : data_overhead(header.size());
}

}  // namespace

std::expected<MutableBytes, Drop> seal_packet(KeyState& key, const DataHeader& header,
                                              Bytes payload, MutableBytes out) {
  const bool in_epochs = key.epochs() != nullptr;
  RW_ASSERT(!in_epochs || header.opcode == Opcode::DataV2);
  const std::size_t overhead = overhead_of(in_epochs, header);
  if (out.size() < overhead || out.size() - overhead < payload.size())
    return std::unexpected(Drop::TooBig);
  const std::expected<PacketId, Drop> packet_id = key.take_packet_id();
  if (!packet_id) return std::unexpected(packet_id.error());

  const MutableBytes datagram = out.first(overhead + payload.size());
  const Layout layout = layout_of(in_epochs, header, datagram);
  write_data_header(header, datagram);
  if (in_epochs) {
    store_be64(layout.packet_id.data(), packet_id->value);
  } else {
    store_be32(layout.packet_id.data(), static_cast<std::uint32_t>(packet_id->value));
  }
  key.seal(*packet_id, layout.associated, payload, layout.text, layout.tag);
  return datagram;
}

std::expected<MutableBytes, Drop> open_packet(KeyState& key, const DataHeader& header,
                                              MutableBytes datagram) {
  const bool in_epochs = key.epochs() != nullptr;
  // A peer that has agreed on epochs speaks DATA_V2.
  if (in_epochs && header.opcode == Opcode::DataV1) return std::unexpected(Drop::BadTag);
  // An empty payload is never sent, and so is refused like a cut-off one.
  if (datagram.size() <= overhead_of(in_epochs, header)) return std::unexpected(Drop::Truncated);

  const Layout layout = layout_of(in_epochs, header, datagram);
  const PacketId packet_id{in_epochs ? load_be64(layout.packet_id.data())
                                     : load_be32(layout.packet_id.data())};
  const std::expected<void, Drop> opened =
      key.open(packet_id, layout.associated, layout.text, layout.tag, layout.text);
  if (!opened) return std::unexpected(opened.error());
  return layout.text;
}

}  // namespace ringway
