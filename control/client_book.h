#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel_table.h"
#include "control/client.h"
#include "control/deadline_queue.h"

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
  [[nodiscard]] Client* find(const Endpoint& remote, SessionId session);
  [[nodiscard]] const Client* find(const Endpoint& remote, SessionId session) const;
  [[nodiscard]] const Client* find(ClientId id) const;
  [[nodiscard]] std::vector<ClientId> at(const Endpoint& remote) const;
  [[nodiscard]] std::vector<ClientId> all() const;

  /// From now on the client keeps its place, whoever else comes.
  void keep(Client& client);
  /// The client may be evicted (again), after those that already may.
  void make_evictable(Client& client);
  /// The client that has been evictable longest.
  [[nodiscard]] Client* oldest_evictable();
  [[nodiscard]] std::size_t evictable_count() const { return evictable_.size(); }
  /// Counts them; for tests and reports.
  [[nodiscard]] std::size_t half_open_count() const;

  /// Makes the client Gone; find() finds it no more.
  void remove(Client& client);
  /// Frees what was removed.
  void bury();

  /// Call after whatever may have given the client something to send or another deadline. The
  /// client has no deadline until transmit_done().
  void update(Client& client);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return deadlines_.next(); }
  [[nodiscard]] Client* take_due(Instant now);
  /// Somebody who may have something to send. Call transmit_done() when it had nothing.
  [[nodiscard]] Client* next_to_transmit();
  void transmit_done(Client& client);

  [[nodiscard]] std::size_t size() const { return clients_.size(); }
  /// The drops of all channels, past and present.
  [[nodiscard]] std::array<std::uint64_t, kDropCount> channel_drops() const;

 private:
  struct IdHash {
    std::size_t operator()(ClientId id) const { return id.value; }
  };
  void refresh_deadline(const Client& client);
  [[nodiscard]] Client* next_in(std::deque<ClientId>& queue);

  ChannelTable table_;
  DeadlineQueue deadlines_;
  std::unordered_map<ClientId, std::unique_ptr<Client>, IdHash> clients_;
  std::vector<std::unique_ptr<Client>> removed_;
  std::list<ClientId> evictable_;
  std::deque<ClientId> established_output_;
  std::deque<ClientId> newcomer_output_;
  std::uint64_t opened_count_ = 0;
  std::array<std::uint64_t, kDropCount> past_drops_{};
};

}  // namespace ringway
