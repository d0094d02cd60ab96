#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace ringway {

/// What earlier connections taught about the addresses of one server. Value.
struct AddressHistory {
  /// The one that worked last: it is tried first.
  std::optional<Endpoint> last_good;
  /// They answered, and then no connection came of it: they are tried last.
  std::vector<Endpoint> blamed;
};

/// One server in a race. Value.
struct RaceRemote {
  bool wants_v6 = true;
  bool wants_v4 = true;
  /// How long an address may stay silent.
  Duration connect_timeout{30s};
  /// Sockets of one family cannot share it: attempts that would are made one after the other.
  std::optional<std::uint16_t> local_port;
  AddressHistory history;
};

/// Which address of which server is tried when, until one has answered: RFC 8305 with the servers
/// of a profile in their order. Names are looked up by family, IPv6 goes first and the families
/// take turns, an address follows 250 ms after the one before, or at once when that is refused. A
/// server's turn comes when all addresses of the one before are refused, or have been tried for
/// three seconds; none is given up for that before its own time is over.
///
/// Pure: addresses, failures, answers and a time in; look-ups, attempts and a verdict out. After
/// each handle_*() drain poll_action(), then ask poll_timeout() again. Used by one thread.
class ConnectRace {
 public:
  /// RFC 8305, section 5, "Connection Attempt Delay".
  static constexpr Duration kAttemptDelay = 250ms;
  /// RFC 8305, section 3: how long the better family's addresses are waited for.
  static constexpr Duration kResolutionDelay = 50ms;
  /// Longer than OpenVPN's first retransmission takes (tls-timeout, 2 s): one loss moves nobody.
  static constexpr Duration kNextRemoteDelay = 3s;
  /// Of one family of one name; more are left aside.
  static constexpr std::size_t kAddressesMax = 8;
  /// When so many addresses are silent, the oldest is given up for the next.
  static constexpr std::size_t kRunningMax = 16;

  enum class Family : std::uint8_t { V6, V4 };
  /// Numbers of attempts and of servers are indexes, counted from 0.
  struct LookUp {
    std::size_t remote = 0;
    Family family = Family::V6;
  };
  struct Start {
    std::size_t attempt = 0;
    std::size_t remote = 0;
    Endpoint server;
  };
  /// Nothing more will be asked about it.
  struct Abandon {
    std::size_t attempt = 0;
  };
  using Action = std::variant<LookUp, Start, Abandon>;

  enum class Verdict : std::uint8_t {
    Open,
    Won,   ///< winner() has answered; all others are abandoned
    Lost,  ///< nobody will answer
  };

  ConnectRace(std::vector<RaceRemote> remotes, Instant now);

  /// The answer to a LookUp, in the order of preference; empty when there is no address.
  void handle_addresses(std::size_t remote, Family family, std::span<const Endpoint> addresses,
                        Instant now);
  /// `attempt` was refused: by a router, by the server's host, by our own. A hint: it may still
  /// win, but nobody waits for it any more.
  void handle_refusal(std::size_t attempt, Instant now);
  /// An authentic answer came.
  void handle_answer(std::size_t attempt, Instant now);
  void handle_timeout(Instant now);
  /// Nothing when the race is over, or only look-ups and attempts are waited for.
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] std::optional<Action> poll_action();

  [[nodiscard]] Verdict verdict() const { return verdict_; }
  [[nodiscard]] std::size_t winner() const;
  /// Whose address an attempt is about.
  [[nodiscard]] std::size_t remote_of(std::size_t attempt) const {
    return attempts_[attempt].remote;
  }
  /// How many addresses of a server are known.
  [[nodiscard]] std::size_t address_count(std::size_t remote) const;

 private:
  struct Asked {
    bool is_wanted = true;
    std::optional<Instant> since;
    bool is_answered = false;
    std::deque<Endpoint> left;
    [[nodiscard]] bool is_open() const { return is_wanted && !is_answered; }
  };
  struct Remote {
    RaceRemote settings;
    Asked v6;
    Asked v4;
    std::size_t address_count = 0;
    std::optional<Instant> turn_began;
    /// When the first addresses came.
    std::optional<Instant> known_since;
    std::optional<Family> last_family;
    Instant last_start;
  };
  struct Attempt {
    std::size_t remote = 0;
    Endpoint server;
    Instant started;
    bool is_refused = false;
    bool is_over = false;
  };
  /// What could be started, and from when on.
  struct Candidate {
    std::size_t remote = 0;
    Family family = Family::V6;
    Instant from;
  };

  void settle(Instant now);
  void expire(Instant now);
  void begin_turn(Instant now);
  void ask(std::size_t remote, Instant now);
  [[nodiscard]] std::optional<Candidate> next_candidate() const;
  [[nodiscard]] std::optional<Candidate> candidate_of(std::size_t number) const;
  [[nodiscard]] Instant free_port_from(const Remote& remote, Family family, Instant from) const;
  void start(const Candidate& candidate, Instant now);
  void give_up_those_in_the_way(const Candidate& candidate);
  void abandon(std::size_t attempt);
  [[nodiscard]] bool is_last_turn() const { return turn_ + 1 == remotes_.size(); }
  [[nodiscard]] bool is_tried(const Remote& remote) const;
  [[nodiscard]] bool has_hope(std::optional<std::size_t> remote) const;
  /// When the next server's turn comes, if nothing happens before.
  [[nodiscard]] Instant next_turn_at() const;
  void end(Verdict verdict);

  std::vector<Remote> remotes_;
  std::vector<Attempt> attempts_;
  std::deque<Action> actions_;
  /// Whose turn it is; those before may get late addresses.
  std::size_t turn_ = 0;
  Instant next_start_;
  Verdict verdict_ = Verdict::Open;
  std::size_t winner_ = 0;
};

}  // namespace ringway
