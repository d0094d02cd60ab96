#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace ringway::floor {

/// The outer side of the floor: one dual-stack UDP socket and one peer, to whom a server learns the
/// way from what it receives, as a concentrator does: its socket stays unconnected.
///
/// SHELL. Sends block until the kernel takes them; receives do not.
class LinkSocket {
 public:
  struct Settings {
    /// Where to listen, or 0 for a client.
    std::uint16_t listen_port = 0;
    /// The server, for a client: an address of either family, and its port.
    std::string server_address;
    std::uint16_t server_port = 0;
    /// UDP_GRO: trains of datagrams are received as one message.
    bool gro = false;
  };
  static Result<LinkSocket> open(const Settings& settings);

  struct Received {
    Bytes bytes;
    /// All datagrams in `bytes` have this size, save the last, which may be smaller.
    std::size_t segment_size = 0;
  };
  /// Nothing when no datagram is there.
  std::optional<Received> receive(MutableBytes memory);
  /// Waits for one.
  std::optional<Received> receive_waiting(MutableBytes memory);
  /// Sends `bytes` as datagrams of `segment_size`, the last of which may be smaller. False when the
  /// kernel refused, or nobody is known yet to whom to send.
  bool send(Bytes bytes, std::size_t segment_size) const;

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  std::optional<Received> receive_with(MutableBytes memory, int flags);

  UniqueFd fd_;
  bool is_connected_ = false;
  sockaddr_in6 peer_{};
};

}  // namespace ringway::floor
