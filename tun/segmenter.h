#pragma once

#include <cstdint>
#include <expected>

#include "base/bytes.h"
#include "base/drop.h"
#include "tun/checksum.h"
#include "tun/ip_packet.h"
#include "tun/vnet_header.h"

namespace ringway {

/// Finishes the checksum of a packet that the kernel left unfinished
/// (VIRTIO_NET_HDR_F_NEEDS_CSUM), in place; does nothing for any other. `ip` is what
/// parse_ip_packet() said of `packet`, the same memory. False, and nothing is done, when the
/// checksum lies in the IP header or outside of the packet (F01). Pure.
[[nodiscard]] bool finish_checksum(MutableBytes packet, const IpPacket& ip,
                                   const VnetHeader& header);

/// Cuts what a TUN queue gave, a super-packet of up to 64 KiB or a packet that is whole already,
/// into packets that can be sent: sizes, IPv4 identification, TCP sequence and flags, and the
/// checksums are those of the single packets.
///
/// Pure; allocates nothing. Borrows the packet until the last one is written. In the order of use:
///
///   auto segmenter = Segmenter::start(vnet_header, ip);
///   while (segmenter->next_size() > 0) segmenter->write_next(memory_of(segmenter->next_size()));
class Segmenter {
 public:
  /// A TCP peer may ask for segments of 48 bytes (Linux' tcp_min_snd_mss); more segments than those
  /// of 64 KiB did not come from a kernel in its right mind.
  static constexpr std::size_t kSegmentsMax = 1400;

  /// `ip` is what parse_ip_packet() said of the packet behind `header`. Drop::BadVnetHeader when
  /// the two contradict each other (F01): the header's sizes are never relied on, only the packet's
  /// own.
  [[nodiscard]] static std::expected<Segmenter, Drop> start(const VnetHeader& header,
                                                            const IpPacket& ip);

  /// How many packets there are in all, at least one.
  [[nodiscard]] std::size_t packet_count() const { return packet_count_; }
  [[nodiscard]] std::size_t left_count() const { return packet_count_ - written_count_; }
  /// The size of the next packet; all have the size of the first, but the last may be smaller.
  /// 0 when all were written.
  [[nodiscard]] std::size_t next_size() const;
  /// Writes the next packet to the start of `out`, which has room for next_size() bytes and does
  /// not overlap the super-packet, and returns the part used. Asserts next_size() > 0.
  MutableBytes write_next(MutableBytes out);

  /// The next packet without a copy: its headers are written into `super_packet`, the memory that
  /// start() was given, in front of its payload and over the packet before, which must be done
  /// with; but the first packet's headers stay as they are until the last is made. Not mixed with
  /// write_next(). Asserts next_size() > 0 and can_cut_in_place().
  MutableBytes next_in_place(MutableBytes super_packet);
  /// False where the headers of the second packet would lie over those of the first, from which all
  /// others are made: payloads that are smaller than the headers.
  [[nodiscard]] bool can_cut_in_place() const {
    return packet_count_ == 1 || headers_size_ <= header_.gso_size;
  }

  /// The packet that start() was given lies here now, byte for byte. Before the first is written.
  void note_moved(MutableBytes super_packet);

  [[nodiscard]] bool is_gso() const { return header_.is_gso(); }
  /// What start() was given. After next_in_place() its bytes are those of the packets.
  [[nodiscard]] const IpPacket& ip() const { return ip_; }

 private:
  Segmenter(const VnetHeader& header, const IpPacket& ip) : header_(header), ip_(ip) {}

  struct Segment;
  Segment take_segment(MutableBytes packet);
  void rewrite(const Segment& segment) const;
  bool find_sizes();
  bool find_pseudo_sum();
  void find_header_sums();
  [[nodiscard]] ChecksumSum sum_of_transport(const Segment& segment) const;
  void rewrite_ip(const Segment& segment) const;
  void rewrite_tcp(const Segment& segment) const;
  void rewrite_udp(const Segment& segment) const;

  VnetHeader header_;
  IpPacket ip_;
  /// IP and transport headers: what each segment starts with.
  std::size_t headers_size_ = 0;
  std::size_t payload_size_ = 0;
  std::size_t packet_count_ = 1;
  std::size_t written_count_ = 0;
  /// Of the pseudo header, but for the length, which differs between segments.
  ChecksumSum pseudo_sum_;
  /// A UDP datagram over IPv4 may do without (RFC 768).
  bool has_checksum_ = true;
  /// What differs between the headers of the segments, as the super-packet has it...
  std::uint16_t identification_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint16_t tcp_size_and_flags_ = 0;
  /// ... and the sums of what does not.
  ChecksumSum ip_sum_;
  ChecksumSum transport_sum_;
};

}  // namespace ringway
