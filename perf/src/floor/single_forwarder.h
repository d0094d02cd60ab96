#pragma once

#include <cstddef>

#include "perf/src/floor/link_socket.h"
#include "tun/tun_device.h"

namespace ringway::floor {

/// Moves packets one a system call, as VPNs did before there were offloads: no cutting, no putting
/// together, no checksums.
///
/// SHELL. `run_polling` is one thread with poll(2), in the manner of OpenVPN; `run_blocking` is two
/// threads, each asleep in the read of one side: the cheapest way to move single packets.
class SingleForwarder {
 public:
  SingleForwarder(LinkSocket& link, const TunDevice& tun);

  /// Both: until a signal ends the process.
  void run_polling();
  void run_blocking();

 private:
  bool to_tun(bool wait);
  bool to_link();

  LinkSocket& link_;
  int tun_fd_;
};

}  // namespace ringway::floor
