#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel_table.h"
#include "control/client.h"
#include "control/deadline_queue.h"
#include "dataplane/messages.h"

namespace ringway {

/// All clients of a ControlPlane, and whose turn it is: by endpoint, by deadline, by output that
/// waits, by age among those that may be evicted.
///
/// Owns the clients. A removed client stays until bury(), so that nobody frees what is in use
/// further up the stack. Established clients transmit before newcomers. Pure; used by one thread.
class ClientBook {
 public:
  explicit ClientBook(RandomSource& random) : table_(random) {}

  /// The new client is half-open and evictable.
  Client& open(const LinkEndpoint& from, ControlChannel channel, Instant now);
  [[nodiscard]] Client* find(ClientId id);
  [[nodiscard]] Client* find(const LinkEndpoint& from, SessionId session);
  [[nodiscard]] const Client* find(const LinkEndpoint& from, SessionId session) const;
  [[nodiscard]] const Client* find(ClientId id) const;
  [[nodiscard]] std::vector<ClientId> at(const LinkEndpoint& from) const;
  [[nodiscard]] std::vector<ClientId> all() const;

  /// The client is found there from now on, and no more where it was. No other has its session id
  /// there.
  void move(Client& client, const LinkEndpoint& there);
  /// From now on the client keeps its place, whoever else comes, and the workers give its packets
  /// precedence.
  void keep(Client& client);
  /// First: whoever has shown no more than an address. Last: whose identity is being asked about.
  enum class Eviction : std::uint8_t { First, Last };
  /// The client may be evicted (again), after those of its kind that already may. Who goes last
  /// goes no sooner by this.
  void make_evictable(Client& client, Eviction eviction = Eviction::First);
  /// The client that has been evictable longest; one of those who go last where there is no other.
  [[nodiscard]] Client* next_evictable();
  [[nodiscard]] std::size_t evictable_count() const {
    return evicted_first_.size() + evicted_last_.size();
  }
  /// Counts them; for tests and reports.
  [[nodiscard]] std::size_t half_open_count() const;

  /// Makes the client Gone; find() finds it no more. Its TCP connection is ended.
  void remove(Client& client);
  /// To be closed when what was said over it before is sent. Nothing happens for UDP.
  void end_connection(const LinkEndpoint& at);
  /// A connection to be closed, after all that transmitted before.
  [[nodiscard]] std::optional<LinkEndpoint> poll_ended_connection();
  /// Frees what was removed.
  void bury();
  /// What the workers do not know yet of the channels that there are.
  using News = std::variant<KnowChannel, ForgetChannel>;
  [[nodiscard]] std::optional<News> poll_news();

  /// Call after whatever may have given the client something to send or another deadline. The
  /// client has no deadline until transmit_done().
  void update(Client& client);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return deadlines_.next(); }
  [[nodiscard]] Client* take_due(Instant now);
  /// Somebody who may have something to send. Call transmit_done() when it had nothing.
  [[nodiscard]] Client* next_to_transmit();
  void transmit_done(Client& client);

  [[nodiscard]] std::size_t size() const { return clients_.size(); }
  /// Of the table of endpoints; the same as size(). For tests.
  [[nodiscard]] std::size_t endpoint_entry_count() const { return table_.size(); }
  /// The drops of all channels, past and present.
  [[nodiscard]] std::array<std::uint64_t, kDropCount> channel_drops() const;

 private:
  struct IdHash {
    std::size_t operator()(ClientId id) const { return id.value; }
  };
  void refresh_deadline(const Client& client);
  void stop_evicting(Client& client);
  void tell_known(const Client& client);
  void tell_forgotten(const Client& client);
  [[nodiscard]] Client* next_in(std::deque<ClientId>& queue);

  ChannelTable table_;
  DeadlineQueue deadlines_;
  std::unordered_map<ClientId, std::unique_ptr<Client>, IdHash> clients_;
  std::vector<std::unique_ptr<Client>> removed_;
  std::list<ClientId> evicted_first_;
  std::list<ClientId> evicted_last_;
  std::deque<LinkEndpoint> ended_connections_;
  std::deque<News> news_;
  std::deque<ClientId> established_output_;
  std::deque<ClientId> newcomer_output_;
  std::uint64_t opened_count_ = 0;
  std::array<std::uint64_t, kDropCount> past_drops_{};
};

}  // namespace ringway
