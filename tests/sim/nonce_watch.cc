#include "tests/sim/nonce_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cursor.h"
#include "dataplane/channel/packet_header.h"
#include "dataplane/channel/packet_id.h"

namespace ringway::sim {

std::optional<std::string> NonceWatch::note_sent(const Endpoint& from, const Endpoint& to,
                                                 Bytes datagram) {
  const auto header = parse_data_header(datagram);
  if (!header) return std::nullopt;
  ByteReader reader(datagram.subspan(header->size()));
  const std::uint64_t packet_id = in_epochs_ ? reader.u64() : reader.u32();
  const bool is_first = packet_id == (in_epochs_ ? PacketId::of(1, 1).value : 1);
  const std::string tag(text_of(in_epochs_ ? datagram.last(16) : reader.take(16)));
  if (in_epochs_) highest_epoch_ = std::max(highest_epoch_, PacketId{packet_id}.epoch());

  const bool from_server = from == server_;
  const Endpoint client = header->peer_id.is_set() ? Endpoint{} : from_server ? to : from;
  std::unordered_set<std::uint64_t>& used =
      used_[{from_server, header->peer_id.value, client, header->key_id.value}];
  if (is_first && first_tags_.insert(tag).second) used.clear();
  if (used.insert(packet_id).second) return std::nullopt;
  return fmt::format("packet id {} was used twice under key {} from {}", packet_id,
                     header->key_id.value, from.to_string());
}

}  // namespace ringway::sim
