#include "control/client_book.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ringway {

Client& ClientBook::open(const LinkEndpoint& from, ControlChannel channel, Instant now) {
  const ClientId id{opened_count_++};
  const SessionId session = channel.remote_session();
  auto client = std::make_unique<Client>(id, from, std::move(channel), now);
  Client& opened = *client;
  clients_.emplace(id, std::move(client));
  table_.add(from.remote, {.session = session, .client = id});
  make_evictable(opened);
  return opened;
}

Client* ClientBook::find(ClientId id) {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

const Client* ClientBook::find(ClientId id) const {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

Client* ClientBook::find(const Endpoint& remote, SessionId session) {
  const std::optional<ClientId> id = table_.find(remote, session);
  return id ? find(*id) : nullptr;
}

const Client* ClientBook::find(const Endpoint& remote, SessionId session) const {
  const std::optional<ClientId> id = table_.find(remote, session);
  return id ? find(*id) : nullptr;
}

std::vector<ClientId> ClientBook::at(const Endpoint& remote) const {
  std::vector<ClientId> ids;
  for (const ChannelTable::Entry& entry : table_.at(remote)) ids.push_back(entry.client);
  return ids;
}

std::vector<ClientId> ClientBook::all() const {
  std::vector<ClientId> ids;
  ids.reserve(clients_.size());
  for (const auto& [id, client] : clients_) ids.push_back(id);
  // In the order of arrival, so that a simulation does not depend on the hash table.
  std::ranges::sort(ids);
  return ids;
}

void ClientBook::keep(Client& client) {
  if (!client.evictable) return;
  evictable_.erase(*client.evictable);
  client.evictable.reset();
}

void ClientBook::make_evictable(Client& client) {
  if (client.evictable) return;
  client.evictable = evictable_.insert(evictable_.end(), client.id);
}

Client* ClientBook::oldest_evictable() {
  return evictable_.empty() ? nullptr : find(evictable_.front());
}

std::size_t ClientBook::half_open_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      clients_, [](const auto& entry) { return entry.second->stage == Client::Stage::HalfOpen; }));
}

void ClientBook::remove(Client& client) {
  const auto found = clients_.find(client.id);
  RW_ASSERT(found != clients_.end());
  for (std::size_t i = 0; i < kDropCount; ++i) past_drops_[i] += client.channel.drops()[i];
  keep(client);
  table_.remove(client.endpoint.remote, client.id);
  deadlines_.set(client.id, std::nullopt);
  client.stage = Client::Stage::Gone;
  removed_.push_back(std::move(found->second));
  clients_.erase(found);
}

void ClientBook::bury() { removed_.clear(); }

void ClientBook::update(Client& client) {
  if (client.stage == Client::Stage::Gone) return;
  // A retransmission stays due until it is sent: transmit_done() asks for the deadline again.
  deadlines_.set(client.id, std::nullopt);
  if (client.awaits_transmit) return;
  client.awaits_transmit = true;
  (client.is_established() ? established_output_ : newcomer_output_).push_back(client.id);
}

Client* ClientBook::take_due(Instant now) {
  const std::optional<ClientId> id = deadlines_.take_due(now);
  return id ? find(*id) : nullptr;
}

Client* ClientBook::next_to_transmit() {
  if (Client* client = next_in(established_output_)) return client;
  return next_in(newcomer_output_);
}

Client* ClientBook::next_in(std::deque<ClientId>& queue) {
  while (!queue.empty()) {
    if (Client* client = find(queue.front())) return client;
    queue.pop_front();
  }
  return nullptr;
}

void ClientBook::transmit_done(Client& client) {
  client.awaits_transmit = false;
  for (std::deque<ClientId>* queue : {&established_output_, &newcomer_output_}) {
    if (!queue->empty() && queue->front() == client.id) {
      queue->pop_front();
      break;
    }
  }
  refresh_deadline(client);
}

void ClientBook::refresh_deadline(const Client& client) {
  std::optional<Instant> deadline = client.channel.poll_timeout();
  if (client.leave_at && (!deadline || *client.leave_at < *deadline)) deadline = client.leave_at;
  deadlines_.set(client.id, deadline);
}

std::array<std::uint64_t, kDropCount> ClientBook::channel_drops() const {
  std::array<std::uint64_t, kDropCount> drops = past_drops_;
  for (const auto& [id, client] : clients_) {
    for (std::size_t i = 0; i < kDropCount; ++i) drops[i] += client->channel.drops()[i];
  }
  return drops;
}

}  // namespace ringway
