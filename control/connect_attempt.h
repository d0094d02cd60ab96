#pragma once

#include <memory>
#include <optional>

#include "control/client_parts.h"
#include "control/connection.h"
#include "control/stream_dial.h"

namespace ringway {

/// One address of a server that is being tried: a socket or a TCP connection of its own, and a
/// client that asks by it for the beginning of a handshake. Nobody has to be told of one that is
/// given up: until it was answered, the server keeps nothing of it (or sees a connection close).
///
/// SHELL: one thread. Does not block. What it is given outlives it.
class ConnectAttempt {
 public:
  struct Target {
    Endpoint server;
    /// Into ClientConfig::remotes.
    std::size_t remote = 0;
  };
  struct Heard {
    /// The server has answered, and nothing that comes after it has been read.
    bool answer = false;
    /// Somebody has said that the address cannot be reached: ICMP, or our own host.
    bool refusal = false;
  };

  /// The error: no socket can be had for it.
  static Result<std::unique_ptr<ConnectAttempt>> open(const ClientParts& parts,
                                                      const ClientSettings& settings,
                                                      const Target& target, Now now);

  /// What has come, and then what is due to be sent.
  Heard turn(Now now);
  [[nodiscard]] int fd() const {
    return dial_ ? dial_->fd() : connection_.socket.sockets.front().fd();
  }
  /// What to wait for: poll()'s events.
  [[nodiscard]] short awaited() const;
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] const Endpoint& server() const { return connection_.server; }

  /// After an answer, once: the socket is as ClientLoop wants it.
  Connection release(const Offloads& offloads);

 private:
  ConnectAttempt(const ClientParts& parts, const ClientSettings& settings, const Target& target,
                 UdpSocketGroup socket, Now now);
  static Result<std::unique_ptr<ConnectAttempt>> dial(const ClientParts& parts,
                                                      const ClientSettings& settings,
                                                      const Target& target, Now now);
  Heard turn_stream(Now now);
  void receive(Heard& heard, Now now);
  void send(Heard& heard, Now now);
  [[nodiscard]] bool take_refusals() const;

  Connection connection_;
  /// Over TCP, in place of the socket.
  std::optional<StreamDial> dial_;
  bool is_v6_ = false;
};

}  // namespace ringway
