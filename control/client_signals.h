#pragma once

#include <cstdint>
#include <optional>

#include "control/client_parts.h"

namespace ringway {

/// What a signal asks a client to do with its connections.
enum class SignalWish : std::uint8_t {
  Stop,  ///< SIGTERM, SIGINT
  Anew,  ///< SIGUSR1, and SIGHUP, which has also opened the log again
};

/// The next wish among the signals that have come; what asks for less (SIGUSR2: the counters) is
/// done here. `core` is that of the connection, if there is one. SHELL.
[[nodiscard]] std::optional<SignalWish> take_wish(const ClientParts& parts,
                                                  const ClientCore* core = nullptr);

}  // namespace ringway
