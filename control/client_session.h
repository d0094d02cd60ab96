#pragma once

#include <optional>

#include "base/address.h"
#include "base/error.h"
#include "base/random.h"
#include "control/client_core.h"
#include "control/client_device.h"
#include "control/client_loop.h"
#include "control/config/client_config.h"
#include "control/signal_inbox.h"

namespace ringway {

/// What all connections of one client have in common. Borrowed.
struct ClientParts {
  const ClientConfig& config;
  const ClientSettings& settings;
  const TlsWrap& wrap;
  const TlsContext& tls;
  RandomSource& random;
  SignalInbox& signals;
  Counters& counters;
  const Offloads& offloads;
};

/// One connection to the server, from the first packet to the last. SHELL: one thread.
class ClientSession {
 public:
  enum class End : std::uint8_t {
    Stopped,    ///< a signal said so
    Again,      ///< connect anew, after a while if that goes on
    AgainNow,   ///< connect anew at once: a signal said so
    Unwelcome,  ///< the server does not want us, or what it wants cannot be done: error() says why
  };

  /// `device` outlives the session; it is kept between sessions where `persist-tun` says so.
  ClientSession(const ClientParts& parts, const Endpoint& server,
                std::optional<ClientDevice>& device);

  /// Until the connection has ended.
  End run();
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] bool was_connected() const { return was_connected_; }

 private:
  void serve();
  void handle(const ClientConnected& event);
  void handle(const ClientDisconnected& event);
  void handle(const ClientRekeyed& event);
  Result<void> set_up_device(const PushReply& push);
  Result<void> open_device(const ClientNetwork& network);
  void take_signal(int signal);
  void leave(End then);
  void log_status() const;

  const ClientParts& parts_;
  Endpoint server_;
  std::optional<ClientDevice>& device_;
  UdpSocketGroup socket_;
  ClientCore core_;
  std::optional<ClientLoop> loop_;
  Error error_;
  std::optional<End> end_;
  /// What leaving is for.
  std::optional<End> leaving_;
  bool was_connected_ = false;
};

}  // namespace ringway
