#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "tun/ip_packet.h"
#include "tun/vnet_header.h"

namespace ringway {

/// Puts packets of one flow together into super-packets that the kernel takes in one write: the
/// largest single gain of a VPN in user space. What comes out is a gather list of the new headers
/// and of the payloads where they lie; nothing is moved.
///
/// A train of packets merges when cutting it again would give the same packets: TCP data in
/// sequence, or UDP, with equal headers (addresses, ports, ECN and DSCP, hop limit, flow label,
/// window, acknowledgement, options), that came under an equal ECN mark outside, the same payload
/// size but for a smaller last one, PSH on the last only, and right checksums in all, since the
/// kernel will make new ones (F02). The one thing
/// that may change is the identification of IPv4 packets that must not be fragmented, which nobody
/// may read (RFC 6864 4.1). Everything else passes through untouched: fragments, IPv4 options, IPv6
/// extension headers, SYN, FIN, RST, URG, CWR, acknowledgements without data, and UDP without a
/// checksum. Packets of one flow are never reordered.
///
/// Pure; after construction it allocates nothing. Borrows packets from add() to clear(), in which
/// time they stay where they are, as does this object's own memory, to which the gather lists
/// point: clear() only when the writes have completed. Used by one worker.
class Coalescer {
 public:
  /// How many packets one batch may have.
  static constexpr std::size_t kPacketsMax = 1024;
  /// How many flows are put together at the same time; one more closes the oldest.
  static constexpr std::size_t kFlowsMax = 32;
  /// The kernel's own limit for UDP in Linux 6.1 (UDP_MAX_SEGMENTS), and 64 KiB of full-size
  /// packets for TCP.
  static constexpr std::size_t kSegmentsMax = 64;
  /// Spans in one gather list: the headers, and each payload.
  static constexpr std::size_t kGatherMax = kSegmentsMax + 1;

  struct Settings {
    /// Every kernel takes TCP super-packets from a TUN with a virtio header.
    bool tcp = true;
    /// Only those that granted TunOffloads::udp (Linux 6.2) take UDP ones.
    bool udp = false;
  };

  explicit Coalescer(const Settings& settings);
  /// For what is added from now on. Only while there are no packets.
  void use(const Settings& settings);

  /// Takes a packet in. False when there are kPacketsMax already: write and clear() first.
  /// `outer_ecn` is that of the datagram that it came in (LinkArrival::ecn).
  [[nodiscard]] bool add(const IpPacket& ip, std::uint8_t outer_ecn = 0);

  [[nodiscard]] std::size_t packet_count() const { return packet_count_; }
  /// How many writes the packets have become.
  [[nodiscard]] std::size_t frame_count() const { return frame_count_; }
  /// The gather list of frame `index`: virtio header and packet, for one write to a TUN queue. The
  /// result is the used part of `spans`. No add() after the first gather() until clear().
  std::span<const Bytes> gather(std::size_t index, std::span<Bytes, kGatherMax> spans);
  /// Forgets all packets.
  void clear();

 private:
  static constexpr std::size_t kHeadersMax = kIpv6HeaderSize + 60;
  static constexpr std::uint16_t kNone = 0xffff;

  /// What becomes one write: a train, or a packet that passes through.
  struct Frame {
    Bytes first;
    std::size_t ip_header_size = 0;
    std::size_t headers_size = 0;
    std::size_t payload_size = 0;
    std::uint16_t gso_size = 0;
    std::uint16_t segment_count = 1;
    /// Payloads behind the first packet's, linked in pieces_.
    std::uint16_t first_piece = kNone;
    std::uint16_t last_piece = kNone;
    std::uint8_t outer_ecn = 0;
    bool first_is_verified = false;
    bool has_psh = false;
    std::array<std::uint8_t, kVnetHeaderSize + kHeadersMax> headers{};
  };
  struct Piece {
    Bytes payload;
    std::uint16_t next = kNone;
  };
  /// A packet that belongs to a flow.
  struct Candidate;

  [[nodiscard]] std::optional<Candidate> candidate_of(const IpPacket& ip) const;
  [[nodiscard]] std::optional<std::size_t> find_open(const Candidate& candidate) const;
  bool append(Frame& train, const Candidate& candidate);
  void close(std::size_t slot);
  void close_all_between(const IpPacket& ip);
  Frame& start_frame(const IpPacket& ip);
  void open(const Candidate& candidate, std::uint16_t frame);
  static void write_headers(Frame& train);

  Settings settings_;
  std::vector<Frame> frames_;
  std::vector<Piece> pieces_;
  std::size_t packet_count_ = 0;
  std::size_t frame_count_ = 0;
  std::size_t piece_count_ = 0;

  /// The open trains: the hash of the flow, and the frame.
  std::array<std::uint32_t, kFlowsMax> open_hashes_{};
  std::array<std::uint16_t, kFlowsMax> open_frames_{};
  std::size_t open_count_ = 0;
};

}  // namespace ringway
