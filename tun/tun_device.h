#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "tun/super_packet_probe.h"

namespace ringway {

/// What the kernel may leave for us to do: unfinished checksums, and packets of up to 64 KiB that
/// have yet to be cut. `tcp` and `udp` need `checksum`.
struct TunOffloads {
  bool checksum = false;
  bool tcp = false;  ///< TUN_F_TSO4, TSO6 and TSO_ECN
  bool udp = false;  ///< TUN_F_USO4 and USO6; Linux 6.2
};

struct TunSettings {
  /// "tun": the kernel numbers it (tun0, tun1, ...); anything else is the device's name.
  std::string name = "tun";
  /// One a worker.
  std::uint16_t queue_count = 1;
  TunOffloads offloads;
  std::string clone_device = "/dev/net/tun";
};

/// A TUN device made by this process, with its queues: raw IP packets, each behind a ten-byte
/// virtio_net_hdr (tun/vnet_header.h).
///
/// SHELL: opens and configures, at start, on one thread. Owns the queues until they are taken; the
/// device disappears with the last of them. Not configured and down: LinkConfig does that.
class TunDevice {
 public:
  /// As many as the kernel gives one device (MAX_TAP_QUEUES).
  static constexpr std::uint16_t kQueuesMax = 256;

  /// Needs CAP_NET_ADMIN. Refuses a name that exists, even a persistent TUN's: what an earlier
  /// owner left set on it cannot all be read back (F07).
  static Result<TunDevice> open(const TunSettings& settings);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// What of the wanted offloads the kernel granted (`udp` is lost on kernels before 6.2) and did
  /// not fail when they were tried.
  [[nodiscard]] const TunOffloads& offloads() const { return offloads_; }
  /// What trying them has shown. Of those that were not granted it says nothing.
  [[nodiscard]] const SuperPacketProof& proof() const { return proof_; }
  [[nodiscard]] std::uint16_t queue_count() const {
    return static_cast<std::uint16_t>(queues_.size());
  }
  /// Non-blocking. -1 once it was taken.
  [[nodiscard]] int queue_fd(std::uint16_t queue) const { return queues_.at(queue).get(); }
  /// Hands the queue to the worker that will own it.
  [[nodiscard]] UniqueFd take_queue(std::uint16_t queue) { return std::move(queues_.at(queue)); }

  /// Changes what the host may leave to us, for all queues at once. Needs a queue that was not
  /// taken. Error: the kernel does not know one of them; nothing has changed then.
  Result<void> set_offloads(const TunOffloads& offloads);

  /// Lets the program (TunSteering::program_fd()) choose the queue for each packet that the host
  /// sends into the device. Needs a queue that was not taken. The device keeps the program.
  Result<void> steer_with(int program_fd);

 private:
  TunDevice() = default;

  std::string name_;
  TunOffloads offloads_;
  SuperPacketProof proof_;
  std::vector<UniqueFd> queues_;
};

}  // namespace ringway
