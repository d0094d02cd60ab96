#pragma once

#include <cstddef>

#include "base/address.h"
#include "base/error.h"
#include "control/client_network.h"
#include "tun/tun_device.h"

namespace ringway {

/// A client's TUN device with its addresses and routes: all of them go with it.
///
/// SHELL: needs CAP_NET_ADMIN. Whatever reads and writes the queue ends before this is destroyed.
class ClientDevice {
 public:
  struct Settings {
    /// "tun" lets the kernel number it.
    std::string name;
    TunOffloads offloads;
    /// Refused when the routes would lead what we send it into the tunnel.
    Endpoint server;
  };
  static Result<ClientDevice> open(const Settings& settings, const ClientNetwork& network);

  [[nodiscard]] int fd() const { return tun_.queue_fd(0); }
  [[nodiscard]] const std::string& name() const { return tun_.name(); }
  /// What the kernel granted.
  [[nodiscard]] const TunOffloads& offloads() const { return tun_.offloads(); }
  /// How many routes lead into it. Those that the host had before are the host's, and stay when
  /// the device goes.
  [[nodiscard]] std::size_t route_count() const { return route_count_; }
  /// What it was made from.
  [[nodiscard]] const ClientNetwork& network() const { return network_; }

 private:
  ClientDevice(TunDevice tun, ClientNetwork network, std::size_t route_count)
      : tun_(std::move(tun)), network_(std::move(network)), route_count_(route_count) {}
  TunDevice tun_;
  ClientNetwork network_;
  std::size_t route_count_;
};

}  // namespace ringway
