#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "control/config/client_config.h"
#include "control/connect_race.h"

namespace ringway {

/// Where a client goes next: in which order it tries its servers, what it remembers of their
/// addresses, and how long it waits between two rounds.
///
/// A round is one race over all servers, beginning with the current one. That is the one that
/// worked last; another becomes it where the server says so, or when all addresses of the current
/// one have answered without a connection coming of it. Pure; the dice are for `remote-random`.
class RoundPlan {
 public:
  /// Rounds that nobody answered before the wait begins to grow, as in OpenVPN.
  static constexpr std::uint32_t kRoundsAtOnePace = 5;

  RoundPlan(const ClientConfig& config, RandomSource& random);

  /// Indexes into ClientConfig::remotes; the first is the current one.
  [[nodiscard]] std::vector<std::size_t> order() const;
  [[nodiscard]] const AddressHistory& history(std::size_t remote) const {
    return histories_[remote];
  }

  /// Nobody answered. `are_unnamed`: because no name had an address.
  void note_lost(bool are_unnamed, Instant now);
  /// `server`, one of `address_count` addresses, answered, and no connection came of it.
  void note_failed(std::size_t remote, const Endpoint& server, std::size_t address_count);
  void note_connected(std::size_t remote, const Endpoint& server);
  /// The server sends its clients to the next one.
  void move_on(std::size_t from);
  /// The same address is tried first again, whatever has been noted.
  void stay_at(std::size_t remote, const Endpoint& server);
  /// A server that asks for it is left alone at least so long, once.
  void wait_at_least(Duration wait) { wait_asked_for_ = wait; }
  /// The next round begins at once, as on a signal, and failures count anew.
  void start_afresh() { failures_ = 0; }

  /// Before the next round.
  [[nodiscard]] Duration take_wait();
  /// connect-retry-max is reached.
  [[nodiscard]] bool is_exhausted() const;
  /// resolv-retry is over.
  [[nodiscard]] bool is_unnamed_for_too_long(Instant now) const;

 private:
  RetryConfig retry_;
  std::vector<std::size_t> shuffled_;
  std::vector<AddressHistory> histories_;
  /// Into shuffled_.
  std::size_t current_ = 0;
  /// In a row.
  std::uint32_t failures_ = 0;
  std::optional<Instant> unnamed_since_;
  Duration wait_asked_for_{0};
};

}  // namespace ringway
