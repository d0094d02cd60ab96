#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "dataplane/socket_route.h"
#include "dataplane/tcp_socket.h"

namespace ringway {

/// A TCP connection to a server while it is being tried: it is made in the background, and not a
/// byte behind the packet that was asked for is read, so that whoever goes on finds the rest in the
/// socket. Packets have their length in front (docs/WIRE.md 13.1).
///
/// SHELL: one thread; does not block. Move-only.
class StreamDial {
 public:
  /// What a packet of a handshake may have.
  static constexpr std::size_t kPacketSizeMax = 2048;

  struct Settings {
    Endpoint server;
    /// Our own end; unset and 0 leave it to the kernel.
    std::optional<IpAddress> local;
    std::uint16_t local_port = 0;
    SocketRoute route;
  };
  /// The error: no socket can be had, or our own host knows no way.
  static Result<StreamDial> open(const Settings& settings);

  /// Whether the connection is there. Looks at the socket until it is.
  [[nodiscard]] bool is_connected();
  /// The server or the network has refused it, or it has ended, or what came is no packet.
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  /// What to wait for: poll()'s events.
  [[nodiscard]] short awaited() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// False when it did not go out whole: has_failed() then.
  [[nodiscard]] bool send(Bytes packet);
  /// The next whole packet, good until the next call.
  [[nodiscard]] std::optional<MutableBytes> receive();

  /// For a loop of its own. Nothing when it is closed already.
  [[nodiscard]] std::optional<TcpSocket> release();

 private:
  explicit StreamDial(UniqueFd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] bool fill(std::size_t size);

  UniqueFd fd_;
  bool is_connected_ = false;
  bool has_failed_ = false;
  std::array<std::uint8_t, 2 + kPacketSizeMax> buffer_{};
  std::size_t filled_ = 0;
};

}  // namespace ringway
