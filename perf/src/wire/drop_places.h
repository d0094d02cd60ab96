#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringway::wire {

/// What the kernel dropped, by place: with the ledger, it says where a lost packet was lost. Value.
struct DropPlaces {
  /// Queues of the outer and the inner network card, full because this process read too slowly.
  std::uint64_t outer_queue = 0;
  std::uint64_t inner_queue = 0;
  /// Queue of the server's TUN device, full because the server read too slowly.
  std::uint64_t server_tun = 0;
  /// Receive buffers of UDP sockets of both families: the server read too slowly.
  std::uint64_t server_socket = 0;

  [[nodiscard]] DropPlaces since(const DropPlaces& before) const;
};

/// Names of the three devices. Value.
struct DeviceNames {
  std::string outer;
  std::string inner;
  std::string server;
};

/// The packets that could not be queued for sending on `device`, of the text of /proc/net/dev; 0
/// for a device that is not there. Pure.
[[nodiscard]] std::uint64_t tx_dropped_of(std::string_view proc_net_dev, std::string_view device);
/// RcvbufErrors of the text of /proc/net/snmp (its two "Udp:" lines). Pure.
[[nodiscard]] std::uint64_t udp4_overflows_of(std::string_view proc_net_snmp);
/// Udp6RcvbufErrors of the text of /proc/net/snmp6. Pure.
[[nodiscard]] std::uint64_t udp6_overflows_of(std::string_view proc_net_snmp6);

/// SHELL: reads all of them for the network namespace of this process.
[[nodiscard]] DropPlaces read_drop_places(const DeviceNames& names);

}  // namespace ringway::wire
