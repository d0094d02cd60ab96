#include "tun/super_packet_probe.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/bytes.h"
#include "tun/vnet_header.h"

namespace ringway {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint16_t kGsoSize = 1000;
constexpr std::size_t kPayloadSize = 2 * kGsoSize + 1;

/// One super-packet of three segments, addressed to nobody: the addresses are the unspecified ones.
class Frame {
 public:
  Frame(GsoType type, std::uint8_t protocol, bool is_v6) {
    const std::size_t ip_size = is_v6 ? 40 : 20;
    const std::size_t transport_size = protocol == kTcp ? 20 : 8;
    const std::size_t packet_size = ip_size + transport_size + kPayloadSize;
    size_ = kVnetHeaderSize + packet_size;
    write_vnet_header(std::span(bytes_).first<kVnetHeaderSize>(),
                      {.needs_checksum = true,
                       .gso_type = type,
                       .header_size = static_cast<std::uint16_t>(ip_size + transport_size),
                       .gso_size = kGsoSize,
                       .checksum_start = static_cast<std::uint16_t>(ip_size),
                       .checksum_offset = static_cast<std::uint16_t>(protocol == kTcp ? 16 : 6)});

    std::uint8_t* ip = &bytes_[kVnetHeaderSize];
    std::uint8_t* transport = ip + ip_size;
    if (is_v6) {
      ip[0] = 0x60;
      store_be16(ip + 4, static_cast<std::uint16_t>(transport_size + kPayloadSize));
      ip[6] = protocol;
      ip[7] = 1;
    } else {
      ip[0] = 0x45;
      store_be16(ip + 2, static_cast<std::uint16_t>(packet_size));
      ip[8] = 1;
      ip[9] = protocol;
    }
    if (protocol == kTcp) {
      transport[12] = 0x50;
      transport[13] = 0x10;
    } else {
      store_be16(transport + 4, static_cast<std::uint16_t>(transport_size + kPayloadSize));
    }
  }

  /// The errno, or 0.
  [[nodiscard]] int write_to(int fd) const {
    return ::write(fd, bytes_.data(), size_) < 0 ? errno : 0;
  }
  void set_kind(std::uint8_t kind) { bytes_[1] = kind; }

 private:
  static constexpr std::size_t kSizeMax = kVnetHeaderSize + 40 + 20 + kPayloadSize;
  std::array<std::uint8_t, kSizeMax> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

Proof judge_super_packets(int unknown_kind, int v4, int v6) {
  if (unknown_kind != EINVAL) return Proof::Unproven;
  if (v4 == EINVAL || v6 == EINVAL) return Proof::Fails;
  return v4 == EIO && v6 == EIO ? Proof::Works : Proof::Unproven;
}

SuperPacketProof prove_super_packets(int queue_fd) {
  constexpr std::uint8_t kNoKind = 7;
  Frame unknown(GsoType::TcpV4, kTcp, false);
  unknown.set_kind(kNoKind);
  const int unknown_kind = unknown.write_to(queue_fd);
  return {.tcp = judge_super_packets(unknown_kind,
                                     Frame(GsoType::TcpV4, kTcp, false).write_to(queue_fd),
                                     Frame(GsoType::TcpV6, kTcp, true).write_to(queue_fd)),
          .udp = judge_super_packets(unknown_kind,
                                     Frame(GsoType::UdpL4, kUdp, false).write_to(queue_fd),
                                     Frame(GsoType::UdpL4, kUdp, true).write_to(queue_fd))};
}

}  // namespace ringway
