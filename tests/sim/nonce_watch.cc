#include "tests/sim/nonce_watch.h"

#include <fmt/format.h>

#include "base/cursor.h"
#include "dataplane/channel/packet_header.h"

namespace ringway::sim {

std::optional<std::string> NonceWatch::note_sent(const Endpoint& from, const Endpoint& to,
                                                 Bytes datagram) {
  const auto header = parse_data_header(datagram);
  if (!header) return std::nullopt;
  ByteReader reader(datagram.subspan(header->size()));
  const std::uint32_t packet_id = reader.u32();
  const std::string tag(text_of(reader.take(16)));

  std::uint32_t& highest = highest_[{from, to, header->key_id.value}];
  if (packet_id == 1 && first_tags_.insert(tag).second) {
    highest = 1;
    return std::nullopt;
  }
  if (packet_id <= highest) {
    return fmt::format("packet id {} was used twice under key {} from {}", packet_id,
                       header->key_id.value, from.to_string());
  }
  highest = packet_id;
  return std::nullopt;
}

}  // namespace ringway::sim
