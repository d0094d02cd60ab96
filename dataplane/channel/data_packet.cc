#include "dataplane/channel/data_packet.h"

#include "base/cursor.h"

namespace ringway {
namespace {

// Where everything lies in a datagram that is long enough.
template <typename Span>
struct Layout {
  Layout(const DataHeader& header, Span datagram)
      : associated(datagram.subspan(
            header.opcode == Opcode::DataV1 ? header.size() : 0,
            (header.opcode == Opcode::DataV1 ? 0 : header.size()) + sizeof(PacketId))),
        packet_id(datagram.subspan(header.size(), sizeof(PacketId))),
        tag(datagram.subspan(header.size() + sizeof(PacketId), kAeadTagSize)),
        text(datagram.subspan(data_overhead(header.size()))) {}

  Span associated;
  Span packet_id;
  Span tag;
  Span text;
};

}  // namespace

std::expected<MutableBytes, Drop> seal_packet(KeyState& key, const DataHeader& header,
                                              Bytes payload, MutableBytes out) {
  const std::size_t overhead = data_overhead(header.size());
  if (out.size() < overhead || out.size() - overhead < payload.size())
    return std::unexpected(Drop::TooBig);
  const std::expected<PacketId, Drop> packet_id = key.take_packet_id();
  if (!packet_id) return std::unexpected(packet_id.error());

  const MutableBytes datagram = out.first(overhead + payload.size());
  const Layout layout(header, datagram);
  write_data_header(header, datagram);
  store_be32(layout.packet_id.data(), packet_id->value);
  key.seal(*packet_id, layout.associated, payload, layout.text, layout.tag);
  return datagram;
}

std::expected<MutableBytes, Drop> open_packet(KeyState& key, const DataHeader& header,
                                              MutableBytes datagram) {
  // An empty payload is never sent, and so is refused like a cut-off one.
  if (datagram.size() <= data_overhead(header.size())) return std::unexpected(Drop::Truncated);

  const Layout layout(header, datagram);
  const PacketId packet_id{ByteReader(layout.packet_id).u32()};
  const std::expected<void, Drop> opened =
      key.open(packet_id, layout.associated, layout.text, layout.tag, layout.text);
  if (!opened) return std::unexpected(opened.error());
  return layout.text;
}

}  // namespace ringway
