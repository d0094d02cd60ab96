#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "control/client_dns.h"
#include "control/client_network.h"
#include "control/client_scripts.h"
#include "control/command_queue.h"
#include "control/host_bypass.h"
#include "control/undo_journal.h"
#include "tun/tun_device.h"

namespace ringway {

/// A client's network while it is connected: the TUN device with its addresses and routes, which go
/// with it, and what is set beside it, routes and name servers, which are taken back one by one.
///
/// SHELL: one thread; needs CAP_NET_ADMIN. Whatever reads and writes the queue ends before this is
/// destroyed, which may wait for programs of the system to end.
class ClientDevice {
 public:
  struct Settings {
    /// "tun" lets the kernel number it.
    std::string name;
    TunOffloads offloads;
    /// Kept reachable beside the tunnel. Refused when the routes would lead what we send it into
    /// the tunnel all the same.
    Endpoint server;
    const ClientConfig& config;
    /// Where it is written what must be undone after a crash. Outlives the device.
    UndoJournal& journal;
  };
  static Result<ClientDevice> open(const Settings& settings, const ClientNetwork& network);

  ClientDevice(ClientDevice&&) = default;
  ClientDevice& operator=(ClientDevice&&) = delete;
  ~ClientDevice();

  /// The same device, for what a server that changes its mind has made of the network: routes and
  /// name servers become others. False, and nothing is done, where its addresses or its MTU would:
  /// that takes another device.
  Result<bool> change(const ClientNetwork& network);
  /// Between turns of the loop: looks after programs that are running. The error is the end: `up`
  /// has failed.
  Result<void> turn();
  /// The connection is lost, and the device is kept: its name servers are behind a tunnel that
  /// leads nowhere, so the host's own are asked, beside it, until resume().
  void pause();
  /// The server is about to be spoken to at these addresses: they stay reachable, and those that
  /// are not named any more need not.
  Result<void> keep_reachable(std::span<const Endpoint> servers);
  /// The connection is back, with this address.
  Result<void> resume(const Endpoint& server);

  [[nodiscard]] int fd() const { return tun_.queue_fd(0); }
  [[nodiscard]] const std::string& name() const { return tun_.name(); }
  /// What the kernel granted.
  [[nodiscard]] const TunOffloads& offloads() const { return tun_.offloads(); }
  /// How many routes lead into it. Those that the host had before are the host's, and stay when
  /// the device goes.
  [[nodiscard]] std::size_t route_count() const { return routes_.size(); }
  /// What it was made from.
  [[nodiscard]] const ClientNetwork& network() const { return network_; }

 private:
  ClientDevice(TunDevice tun, HostBypass bypass, ClientNetwork network,
               std::vector<LinkRoute> routes, UndoJournal& journal)
      : tun_(std::move(tun)),
        bypass_(std::move(bypass)),
        network_(std::move(network)),
        routes_(std::move(routes)),
        journal_(&journal) {}
  void set_name_servers();

  TunDevice tun_;
  HostBypass bypass_;
  ClientNetwork network_;
  /// Those that are set, and ours.
  std::vector<LinkRoute> routes_;
  UndoJournal* journal_;
  bool is_paused_ = false;
  /// Whom we speak to.
  std::vector<Endpoint> servers_;
  std::unique_ptr<CommandQueue> commands_ = std::make_unique<CommandQueue>();
  std::unique_ptr<ClientDns> dns_;
  std::unique_ptr<ClientScripts> scripts_;
};

}  // namespace ringway
