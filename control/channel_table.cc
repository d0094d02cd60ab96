#include "control/channel_table.h"

#include "base/check.h"

namespace ringway {

ChannelTable::ChannelTable(RandomSource& random) : by_endpoint_(0, draw_hash(random)) {}

std::optional<ClientId> ChannelTable::find(const Endpoint& remote, SessionId session) const {
  for (const Entry& entry : at(remote)) {
    if (entry.session == session) return entry.client;
  }
  return std::nullopt;
}

std::span<const ChannelTable::Entry> ChannelTable::at(const Endpoint& remote) const {
  const auto found = by_endpoint_.find(remote);
  if (found == by_endpoint_.end()) return {};
  return found->second;
}

void ChannelTable::add(const Endpoint& remote, Entry entry) {
  RW_ASSERT(!find(remote, entry.session));
  by_endpoint_[remote].push_back(entry);
  ++size_;
}

void ChannelTable::remove(const Endpoint& remote, ClientId client) {
  const auto found = by_endpoint_.find(remote);
  if (found == by_endpoint_.end()) return;
  size_ -=
      std::erase_if(found->second, [client](const Entry& entry) { return entry.client == client; });
  if (found->second.empty()) by_endpoint_.erase(found);
}

ChannelTable::Hash ChannelTable::draw_hash(RandomSource& random) {
  Hash hash;
  random.fill(hash.keyed.key);
  return hash;
}

}  // namespace ringway
