#pragma once

#include <cstdint>
#include <optional>

#include "control/client_device.h"
#include "control/client_parts.h"
#include "control/client_session.h"
#include "control/connector.h"
#include "control/round_plan.h"
#include "control/server_notice.h"

namespace ringway {

/// A client from its start to its end: rounds of connecting, the connections that come of them, and
/// the waits between. SHELL: one thread.
class ClientLife {
 public:
  explicit ClientLife(const ClientParts& parts)
      : parts_(parts), settings_(parts.settings), plan_(parts.config, parts.random) {}

  /// Until a signal ends it (no error), or there is no use in going on.
  Result<void> run();

 private:
  enum class Next : std::uint8_t {
    Stop,    ///< a signal said so
    GiveUp,  ///< error_ says why
    Wait,    ///< before the next round
    RoundNow,
  };

  Next round();
  std::optional<Next> log_in();
  Next serve(Connector& connector);
  [[nodiscard]] Next after_refusal(const ClientSession& session, const Connector& connector,
                                   std::size_t remote, const Endpoint& server);
  [[nodiscard]] Next after_login(const AuthFailure& failure, std::size_t remote,
                                 const Endpoint& server);
  [[nodiscard]] Next after(const ClientSession& session, std::size_t remote);
  [[nodiscard]] bool is_over();
  /// False when a signal says that this was the end.
  [[nodiscard]] bool wait(Duration wait);

  const ClientParts& parts_;
  /// Of the round: with the login that is good now.
  ClientSettings settings_;
  RoundPlan plan_;
  std::optional<ClientDevice> device_;
  Error error_;
};

}  // namespace ringway
