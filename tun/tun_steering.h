#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/unique_fd.h"

namespace ringway {

/// Chooses the TUN queue of each packet by its inner destination, so that the worker that owns the
/// destination's session reads the packet (F04). The kernel's own flow table hashes flows over all
/// queues, learns from replies only, and holds 4,096 of them.
///
/// An eBPF socket filter for TUNSETSTEERINGEBPF, and the two maps that it asks: host addresses in a
/// hash, then prefixes in a longest-prefix-match trie. An unknown destination goes where the
/// packet's flow hash says; no worker has a session for it anyway.
///
/// SHELL: loaded at start on one thread, before privileges are dropped (CAP_BPF, or
/// CAP_SYS_ADMIN); owners are set and removed by the control thread. A wrong or missing entry is no
/// error, only slow: whichever worker reads the packet passes it on to the owner. The kernel keeps
/// program and maps for as long as the device uses them.
class TunSteering {
 public:
  struct Limits {
    /// Inner addresses of clients: two each, where there is IPv6.
    std::uint32_t hosts_max = 2048;
    /// Networks behind clients (iroute).
    std::uint32_t prefixes_max = 1024;
  };

  /// The error is for the log: everything works without steering, by way of the slow lane.
  static Result<TunSteering> load(const Limits& limits);

  /// For TunDevice::steer_with().
  [[nodiscard]] int program_fd() const { return program_.get(); }

  /// Worker n reads queue n. False when the map is full, or when the process has dropped the
  /// privilege that its kernel wants for this (Linux before 5.19: CAP_BPF).
  [[nodiscard]] bool set_owner(const Prefix& prefix, WorkerId owner);
  /// False when there was no such prefix.
  bool remove(const Prefix& prefix);

 private:
  TunSteering(UniqueFd hosts, UniqueFd prefixes, UniqueFd program)
      : hosts_(std::move(hosts)), prefixes_(std::move(prefixes)), program_(std::move(program)) {}

  UniqueFd hosts_;
  UniqueFd prefixes_;
  UniqueFd program_;
};

}  // namespace ringway
