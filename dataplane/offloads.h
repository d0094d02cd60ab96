#pragma once

#include <cstdint>

#include "dataplane/gso_batch.h"
#include "tun/tun_device.h"

namespace ringway {

/// Which of the kernel's ways to move many packets at once are used. Value.
///
/// All are wanted at first; the operator, the kernel and the self-test at start each may take some
/// away. Without any of them Ringway works the same, packet by packet.
struct Offloads {
  /// UDP_SEGMENT: one send for a train of datagrams to one client.
  bool link_gso = true;
  /// How many datagrams one send may carry.
  std::uint16_t link_gso_segments_max = GsoBatch::kSegmentsMax;
  /// UDP_GRO: one receive for a train of datagrams from one client.
  bool link_gro = true;
  /// What the TUN's queues were opened with; see TunDevice::offloads(). Packets of up to 64 KiB are
  /// read only with `tcp` or `udp`, and written only of the kinds that are set here.
  TunOffloads tun;
};

}  // namespace ringway
