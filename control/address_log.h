#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "control/address_watch.h"
#include "tun/host_links.h"

namespace ringway {

/// Logs what changes of the host's own addresses mean for the listeners.
///
/// SHELL around AddressWatch: used by the control thread; needs no privileges. Where the kernel
/// does not tell of changes, a warning at the start says so, and nothing else depends on it.
class AddressLog {
 public:
  /// Once the tunnel's device and the listeners are there. `config` is read here alone.
  AddressLog(const ServerConfig& config, const std::string& own_device);

  /// To wait on for POLLIN; -1, which poll() passes over, when changes are not told.
  [[nodiscard]] int fd() const { return bell_ ? bell_->fd() : -1; }
  void look(Now now);
  [[nodiscard]] std::optional<Instant> next() const;

 private:
  /// Addresses that are given anew come and go several times within moments.
  static constexpr Duration kSettle = 1s;

  std::optional<HostLinkBell> bell_;
  std::optional<AddressWatch> watch_;
  std::optional<Instant> due_;
};

}  // namespace ringway
