#pragma once

#include <array>
#include <queue>
#include <vector>

#include "base/error.h"
#include "perf/src/loadgen/load_client.h"

namespace ringway::loadgen {

/// What a phase wants to know of the clients. Called on the loop's thread.
class LoadObserver {
 public:
  virtual ~LoadObserver() = default;
  virtual void on_event(std::size_t client, const ClientEvent& event, Now now) = 0;
  virtual void on_packet(std::size_t client, Bytes packet, Now now) = 0;
};

/// SHELL: one epoll around many LoadClients: their sockets and their deadlines.
///
/// Clients stand at fixed places, numbered from 0, one server endpoint after the other in turn.
/// Deadlines are lazy: an entry that a client's later deadline made stale wakes it once for
/// nothing, so that a packet costs no change of the queue. Used by one thread.
class LoadLoop {
 public:
  struct Setup {
    ClientParts parts;
    std::vector<Endpoint> servers;
    std::size_t client_count = 0;
  };
  static Result<LoadLoop> make(const Setup& setup);

  [[nodiscard]] std::size_t size() const { return clients_.size(); }
  [[nodiscard]] LoadClient& client(std::size_t number) { return clients_[number].client; }
  void observe(LoadObserver* observer) { observer_ = observer; }

  bool start(std::size_t number, Now now);
  bool float_away(std::size_t number);
  void abandon(std::size_t number);
  /// To be called after anything was asked of a client's core.
  void settle(std::size_t number, Now now);
  /// Waits for datagrams and deadlines, until `until` at the latest, and acts on them.
  void turn(Instant until);

 private:
  struct Place {
    LoadClient client;
    /// The earliest entry of this client in the queue that counts.
    std::optional<Instant> scheduled;
  };
  struct Due {
    Instant at;
    std::size_t number;
    friend bool operator>(const Due& a, const Due& b) { return a.at > b.at; }
  };
  static constexpr int kEventsPerTurn = 256;
  static constexpr unsigned kDatagramsPerEvent = 32;

  LoadLoop(const ClientParts& parts, UniqueFd epoll) : parts_(parts), epoll_(std::move(epoll)) {}
  bool watch(std::size_t number);
  void read_from(std::size_t number);
  void schedule(std::size_t number);
  void run_timers(Now now);

  ClientParts parts_;
  UniqueFd epoll_;
  std::vector<Place> clients_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> deadlines_;
  LoadObserver* observer_ = nullptr;
};

}  // namespace ringway::loadgen
