#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "base/bytes.h"
#include "base/drop.h"

/// The virtio_net_hdr in front of each packet that a TUN queue gives or takes. Pure.
///
/// Ten bytes in the machine's byte order (a TUN's header is "legacy" unless TUNSETVNETLE says
/// otherwise; virtio 1.2, 5.1.6). <linux/virtio_net.h> is no C++, and older copies of it do not
/// know GSO_UDP_L4, so that the numbers are here.
namespace ringway {

inline constexpr std::size_t kVnetHeaderSize = 10;

/// VIRTIO_NET_HDR_GSO_*, without the ECN bit.
enum class GsoType : std::uint8_t { None = 0, TcpV4 = 1, TcpV6 = 4, UdpL4 = 5 };

/// Value.
struct VnetHeader {
  /// VIRTIO_NET_HDR_F_NEEDS_CSUM: the 16 bits at checksum_start + checksum_offset hold the sum of
  /// the pseudo header; the checksum runs from checksum_start to the end of the packet.
  bool needs_checksum = false;
  GsoType gso_type = GsoType::None;
  /// The TCP super-packet carries CWR, which only its first segment may keep (RFC 3168 6.1.2).
  bool has_cwr = false;
  /// A hint about the size of all headers. What the kernel says is not to be relied on: for a
  /// forwarded packet it can be the whole linear part.
  std::uint16_t header_size = 0;
  /// Payload bytes in each segment but the last.
  std::uint16_t gso_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;

  [[nodiscard]] bool is_gso() const { return gso_type != GsoType::None; }
};

/// Reads the header of `frame`, which is all that one read of a TUN queue returned: header and
/// packet, the packet being frame.subspan(kVnetHeaderSize). Everything the segmenter relies on is
/// checked (F01): the kind of GSO is one that Ringway knows, a GSO packet has a segment size, and
/// the checksum lies within the packet. Otherwise Drop::BadVnetHeader.
///
/// VIRTIO_NET_HDR_F_DATA_VALID is ignored, as is whatever follows ten bytes in newer headers: the
/// size is fixed when the device is opened (F06).
[[nodiscard]] std::expected<VnetHeader, Drop> parse_vnet_header(Bytes frame);

/// Never sets VIRTIO_NET_HDR_F_DATA_VALID: nothing that came from a peer is vouched for (F03).
void write_vnet_header(std::span<std::uint8_t, kVnetHeaderSize> out, const VnetHeader& header);

}  // namespace ringway
