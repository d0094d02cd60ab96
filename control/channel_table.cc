#include "control/channel_table.h"

#include "base/check.h"

namespace ringway {

ChannelTable::ChannelTable(RandomSource& random) : by_endpoint_(0, draw_hash(random)) {}

std::optional<ClientId> ChannelTable::find(const LinkEndpoint& from, SessionId session) const {
  for (const Entry& entry : at(from)) {
    if (entry.session == session) return entry.client;
  }
  return std::nullopt;
}

std::span<const ChannelTable::Entry> ChannelTable::at(const LinkEndpoint& from) const {
  const auto found = by_endpoint_.find(from);
  if (found == by_endpoint_.end()) return {};
  return found->second;
}

void ChannelTable::add(const LinkEndpoint& from, Entry entry) {
  RW_ASSERT(!find(from, entry.session));
  by_endpoint_[from].push_back(entry);
  ++size_;
}

void ChannelTable::remove(const LinkEndpoint& from, ClientId client) {
  const auto found = by_endpoint_.find(from);
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
