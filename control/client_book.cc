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
  table_.add(from, {.session = session, .client = id});
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

Client* ClientBook::find(const LinkEndpoint& from, SessionId session) {
  const std::optional<ClientId> id = table_.find(from, session);
  return id ? find(*id) : nullptr;
}

const Client* ClientBook::find(const LinkEndpoint& from, SessionId session) const {
  const std::optional<ClientId> id = table_.find(from, session);
  return id ? find(*id) : nullptr;
}

std::vector<ClientId> ClientBook::at(const LinkEndpoint& from) const {
  std::vector<ClientId> ids;
  for (const ChannelTable::Entry& entry : table_.at(from)) ids.push_back(entry.client);
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

void ClientBook::move(Client& client, const LinkEndpoint& there) {
  table_.remove(client.endpoint, client.id);
  tell_forgotten(client);
  client.endpoint = there;
  table_.add(there, {.session = client.channel.remote_session(), .client = client.id});
  tell_known(client);
}

void ClientBook::keep(Client& client) {
  if (!client.evictable) return;
  stop_evicting(client);
  tell_known(client);
}

void ClientBook::make_evictable(Client& client, Eviction eviction) {
  const bool goes_later = client.evictable && !client.is_evicted_last && eviction == Eviction::Last;
  if (client.evictable && !goes_later) return;
  stop_evicting(client);
  client.is_evicted_last = eviction == Eviction::Last;
  std::list<ClientId>& list = client.is_evicted_last ? evicted_last_ : evicted_first_;
  client.evictable = list.insert(list.end(), client.id);
  tell_known(client);
}

void ClientBook::stop_evicting(Client& client) {
  if (!client.evictable) return;
  (client.is_evicted_last ? evicted_last_ : evicted_first_).erase(*client.evictable);
  client.evictable.reset();
}

Client* ClientBook::next_evictable() {
  const std::list<ClientId>& list = evicted_first_.empty() ? evicted_last_ : evicted_first_;
  return list.empty() ? nullptr : find(list.front());
}

std::size_t ClientBook::half_open_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      clients_, [](const auto& entry) { return entry.second->stage == Client::Stage::HalfOpen; }));
}

void ClientBook::remove(Client& client) {
  const auto found = clients_.find(client.id);
  RW_ASSERT(found != clients_.end());
  for (std::size_t i = 0; i < kDropCount; ++i) past_drops_[i] += client.channel.drops()[i];
  stop_evicting(client);
  table_.remove(client.endpoint, client.id);
  tell_forgotten(client);
  deadlines_.set(client.id, std::nullopt);
  client.stage = Client::Stage::Gone;
  end_connection(client.endpoint);
  removed_.push_back(std::move(found->second));
  clients_.erase(found);
}

void ClientBook::end_connection(const LinkEndpoint& at) {
  if (at.is_tcp()) ended_connections_.push_back(at);
}

std::optional<LinkEndpoint> ClientBook::poll_ended_connection() {
  if (ended_connections_.empty()) return std::nullopt;
  const LinkEndpoint ended = ended_connections_.front();
  ended_connections_.pop_front();
  return ended;
}

void ClientBook::bury() { removed_.clear(); }

void ClientBook::tell_known(const Client& client) {
  news_.push_back(KnowChannel{.endpoint = client.endpoint,
                              .session = client.channel.remote_session(),
                              .is_established = !client.evictable,
                              .is_awaited = client.evictable && client.is_evicted_last});
}

void ClientBook::tell_forgotten(const Client& client) {
  news_.push_back(
      ForgetChannel{.endpoint = client.endpoint, .session = client.channel.remote_session()});
}

std::optional<ClientBook::News> ClientBook::poll_news() {
  if (news_.empty()) return std::nullopt;
  const News news = news_.front();
  news_.pop_front();
  return news;
}

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
  const std::optional<Instant> own = client.own_deadline();
  if (own && (!deadline || *own < *deadline)) deadline = own;
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
