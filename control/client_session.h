#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "control/client_device.h"
#include "control/client_loop.h"
#include "control/client_network.h"
#include "control/client_parts.h"
#include "control/connection.h"
#include "control/prompt.h"
#include "control/server_notice.h"
#include "dataplane/icmp_listener.h"

namespace ringway {

/// One connection, from the server's first answer to the last packet. SHELL: one thread.
class ClientSession {
 public:
  enum class End : std::uint8_t {
    Stopped,    ///< a signal said so
    Again,      ///< connect anew, after a while if that goes on
    AgainNow,   ///< connect anew at once: a signal said so, or our own address is gone
    Refused,    ///< AUTH_FAILED: said() is its reason, and error() says it for the user
    Unwelcome,  ///< the server does not want us, or what it wants cannot be done: error() says why
  };

  /// `device` outlives the session; it is kept between sessions where `persist-tun` says so.
  ClientSession(const ClientParts& parts, Connection connection,
                std::optional<ClientDevice>& device);

  /// Until the connection has ended.
  void run();
  [[nodiscard]] End end() const { return *end_; }
  [[nodiscard]] const Error& error() const { return error_; }
  /// The server's last word, RESTART and what stands behind it, or why it refuses us.
  [[nodiscard]] const std::string& said() const { return said_; }
  [[nodiscard]] bool was_connected() const { return was_connected_; }

 private:
  void serve();
  void take_hints();
  void handle(const ClientConnected& event);
  void handle(const ClientReconfigured& event);
  void handle(const ClientDisconnected& event);
  void handle(const ClientRekeyed& event);
  void handle(const ClientTimeIsUp& event);

  // client_prompts.cc: what is asked and told while the connection stands.
  void handle(const ClientTokenKept& event);
  void handle(const ClientLoginWanted& event);
  void handle(const ClientNotice& event);
  void ask_login();
  void ask_challenge(const Challenge& challenge);
  void turn_prompts();
  void watch(int fd) const;

  void look_up_and_set_up(const PushReply& push);
  void look_up_hosts(const PushReply& push);
  void take_addresses();
  void set_up(const PushReply& push, const HostAddresses& hosts);
  Result<void> set_up_device(const PushReply& push, const HostAddresses& hosts);
  Result<void> open_device(const ClientNetwork& network);
  Result<void> change_device(const ClientNetwork& network);
  void look_after_device();
  void take_signals();
  void look_at_network();
  void leave(End then);

  const ClientParts& parts_;
  Connection connection_;
  const Endpoint& server_;
  ClientCore& core_;
  std::optional<ClientDevice>& device_;
  std::optional<IcmpListener> icmp_;
  std::optional<ClientLoop> loop_;
  Error error_;
  std::optional<End> end_;
  /// What leaving is for.
  std::optional<End> leaving_;
  std::string said_;
  bool was_connected_ = false;
  /// Readable when there is a signal or something typed: what ends a turn of the loop.
  UniqueFd wake_;
  bool is_login_wanted_ = false;
  /// Names that routes are to lead to are being looked up; the tunnel waits for that.
  struct LookUp {
    PushReply push;
    HostAddresses hosts;
    std::size_t open = 0;
    Instant give_up;
  };
  std::optional<LookUp> look_up_;
  /// CR_TEXT.
  std::unique_ptr<Prompt> challenge_;
  /// When the network was looked at last, and since when our own address is not there.
  Instant looked_at_;
  bool network_has_lost_ = false;
  std::optional<Instant> gone_since_;
};

}  // namespace ringway
