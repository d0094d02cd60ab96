#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/client_device.h"
#include "control/client_parts.h"
#include "control/connect_attempt.h"
#include "control/connect_race.h"
#include "control/connection.h"
#include "control/round_plan.h"

namespace ringway {

/// One round: looks the servers' names up and tries their addresses until one answers. The race
/// decides; this is its system calls.
///
/// SHELL: one thread. Waits, and watches for signals meanwhile. What it is given outlives it.
class Connector {
 public:
  enum class End : std::uint8_t {
    Answered,  ///< take() gives the connection
    Stopped,   ///< a signal said so
    Anew,      ///< a signal asks for another round
    Lost,      ///< nobody answers; error() says more
  };

  /// `settings` are those of the round: with the name and the password that are valid now. A
  /// `device` that was kept must not swallow what goes to the servers.
  Connector(const ClientParts& parts, const ClientSettings& settings, const RoundPlan& plan,
            std::optional<ClientDevice>& device);

  End run();
  [[nodiscard]] Connection take();
  [[nodiscard]] const Error& error() const { return error_; }
  /// The names, all of them, have no address.
  [[nodiscard]] bool are_unnamed() const;
  /// How many addresses of the server that answered are known.
  [[nodiscard]] std::size_t address_count() const;

 private:
  void act();
  void act_on(const ConnectRace::LookUp& look_up);
  void act_on(const ConnectRace::Start& start);
  void act_on(const ConnectRace::Abandon& abandon);
  void wait() const;
  void take_answers();
  void take_turns();
  void keep_reachable(const Endpoint& next);
  void note_refusal(std::size_t attempt, const std::string& server, const std::string& reason);
  [[nodiscard]] const RemoteConfig& remote_at(std::size_t place) const {
    return parts_.config.remotes[order_[place]];
  }

  const ClientParts& parts_;
  const ClientSettings& settings_;
  std::optional<ClientDevice>& device_;
  /// The race's servers; into ClientConfig::remotes.
  std::vector<std::size_t> order_;
  /// What is asked for; with `remote-random-hostname` not what the profile says.
  std::vector<std::string> hosts_;
  Now now_;
  Instant begun_;
  ConnectRace race_;
  /// By number; null when it is over.
  std::vector<std::unique_ptr<ConnectAttempt>> attempts_;
  std::vector<bool> refused_;
  std::string last_failure_;
  Error error_;
};

}  // namespace ringway
