#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "perf/src/wire/stamp.h"
#include "tun/vnet_header.h"

namespace ringway::wire {

enum class InnerKind : std::uint8_t {
  Tcp,  ///< data segments of one connection, in sequence: what every offload is made for
  Udp,
};

/// Where a flow of inner packets goes from and to. Both addresses are IPv4. Value.
struct InnerPath {
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 443;
};

/// Makes the packets of one inner flow: IPv4 with TCP or UDP, all of one size, each with a Stamp at
/// the head of its payload and all checksums right. There is no connection behind the TCP segments:
/// they follow each other in sequence, and nobody acknowledges them.
///
/// Pure; allocates only when it is made. Sizes are those of whole IP packets.
class InnerFlow {
 public:
  /// The smallest packet that has room for its stamp.
  static constexpr std::size_t kPacketMin = 60;
  static constexpr std::size_t kPacketMax = 1500;
  /// 64 KiB of packets of 1,400 bytes would be 46; the kernel's limit for UDP is 128.
  static constexpr std::size_t kTrainMax = 64;

  InnerFlow(InnerKind kind, const InnerPath& path, std::size_t packet_size);

  [[nodiscard]] std::size_t packet_size() const { return plain_.size(); }
  [[nodiscard]] std::size_t headers_size() const { return headers_size_; }
  [[nodiscard]] std::size_t payload_size() const { return plain_.size() - headers_size_; }
  /// How many packets fit into one super-packet: kTrainMax, or what 64 KiB allow.
  [[nodiscard]] std::size_t train_max() const;

  /// Writes the next packet to the head of `out` and returns it; its checksums are finished.
  MutableBytes write(const Stamp& stamp, MutableBytes out);

  struct Train {
    VnetHeader header;
    MutableBytes packet;
  };
  /// Writes the next stamps.size() packets, 1 to train_max(), as one super-packet, as a network
  /// card that merges what it received hands them on: one header, the payloads behind each other,
  /// the sum of the pseudo header in place of the checksum.
  Train write_train(std::span<const Stamp> stamps, MutableBytes out);

 private:
  void write_sequence(MutableBytes packet) const;
  void advance(std::size_t packets);
  [[nodiscard]] std::size_t checksum_offset() const;

  InnerKind kind_;
  std::size_t headers_size_;
  /// A packet with sequence, identification, stamp and checksums zero.
  std::vector<std::uint8_t> plain_;
  /// What the transport checksum of `plain_` adds up to, pseudo header included.
  std::uint16_t plain_sum_ = 0;
  std::uint16_t identification_ = 0;
  std::uint32_t sequence_ = 1;
};

/// What came out at the other end: one packet, or a super-packet of several. Value.
struct InnerArrival {
  /// Of the first packet.
  Stamp stamp;
  std::size_t packet_count = 1;
  /// Where the first stamp is, and how far it is to the next one.
  std::size_t payload_offset = 0;
  std::size_t payload_size = 0;
};
/// Reads the head of an inner packet, which may be cut off behind the first stamp: the packet count
/// comes from the IP header and the virtio header. Nothing for what no InnerFlow made.
[[nodiscard]] std::optional<InnerArrival> read_inner_arrival(const VnetHeader& header,
                                                             Bytes packet_head);

/// True when each byte behind the stamp is what InnerFlow writes there.
[[nodiscard]] bool payload_is_intact(Bytes payload);

}  // namespace ringway::wire
