#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "tun/vnet_header.h"

namespace ringway::wire {

/// Both ends of what a client sends and receives outside the tunnel; of one family. Value.
struct OuterPath {
  Endpoint client;
  Endpoint server;
};

/// IP and UDP: 28 bytes over IPv4, 48 over IPv6. Pure.
[[nodiscard]] std::size_t outer_headers_size(const OuterPath& path);

/// One datagram, or several of equal size (but for a smaller last one). Value.
struct OuterLoad {
  /// All UDP payloads together.
  std::size_t payload_size = 0;
  /// The size of each; 0 for a single datagram.
  std::size_t segment_size = 0;
};

/// Writes what stands in front of the datagrams that `path.client` sends to its server, virtio
/// header included, and returns the part of `out` used: kVnetHeaderSize + outer_headers_size().
/// The UDP checksum is left to be finished, which is how a packet whose checksum the network card
/// has verified looks to the kernel. Pure.
MutableBytes write_outer_headers(const OuterPath& path, const OuterLoad& load, MutableBytes out);

/// What the server sent: one datagram, or a train. Value.
struct OuterArrival {
  Endpoint from;
  Endpoint to;
  /// Where the first datagram begins, counted from the IP header.
  std::size_t payload_offset = 0;
  std::size_t payload_size = 0;
  std::size_t segment_size = 0;
  std::size_t datagram_count = 1;
};
/// Reads the head of an outer packet, which may be cut off behind the UDP header. Nothing for what
/// is no UDP, has IPv4 options or IPv6 extension headers, or is a fragment. Pure.
[[nodiscard]] std::optional<OuterArrival> read_outer_arrival(const VnetHeader& header,
                                                             Bytes packet_head);

}  // namespace ringway::wire
