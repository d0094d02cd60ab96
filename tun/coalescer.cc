#include "tun/coalescer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "tun/checksum.h"

namespace ringway {
namespace {

constexpr std::size_t kPacketSizeMax = 65535;
constexpr std::uint16_t kDontFragment = 0x4000;
/// The flags that a TCP segment within a train may have.
constexpr std::uint8_t kMergeableFlags = tcp_flag::kAck | tcp_flag::kPsh | tcp_flag::kEce;

constexpr std::size_t kTcpFlags = 13;
constexpr std::size_t kTcpChecksum = 16;
constexpr std::size_t kUdpLength = 4;
constexpr std::size_t kUdpChecksum = 6;

/// In front of each packet that passes through: nothing to do for the kernel.
constexpr std::array<std::uint8_t, kVnetHeaderSize> kPlainVnetHeader{};

/// Addresses, one behind the other.
Bytes addresses_of(Bytes packet) {
  return packet[0] >> 4 == 4 ? packet.subspan(12, 8) : packet.subspan(8, 32);
}

std::uint8_t protocol_of(Bytes packet) { return packet[0] >> 4 == 4 ? packet[9] : packet[6]; }

/// Spreads flows over 32 bits. Not keyed: whoever makes flows collide only makes each look-up
/// compare a few headers more.
std::uint32_t flow_hash(Bytes addresses, Bytes ports) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t hash = load_be32(ports.data());
  for (std::size_t at = 0; at < addresses.size(); at += 8) {
    hash = (hash ^ load_be64(addresses.data() + at)) * kOdd;
    hash ^= hash >> 29;
  }
  return static_cast<std::uint32_t>(hash * kOdd >> 32);
}

struct Range {
  std::size_t at = 0;
  std::size_t size = 0;
};

bool equal_in(Bytes a, Bytes b, Range range) {
  return std::memcmp(a.data() + range.at, b.data() + range.at, range.size) == 0;
}

/// All that has to be equal in the IP headers of a train; lengths, identification and checksum are
/// left out.
bool same_ip_header(Bytes a, Bytes b) {
  if (a[0] >> 4 == 4) {
    return equal_in(a, b, {0, 2}) && equal_in(a, b, {6, 4}) && equal_in(a, b, {12, 8});
  }
  return equal_in(a, b, {0, 4}) && equal_in(a, b, {6, 34});
}

/// The same for TCP headers of equal size: sequence, PSH and checksum are left out.
bool same_tcp_header(Bytes a, Bytes b) {
  if (((a[kTcpFlags] ^ b[kTcpFlags]) & ~tcp_flag::kPsh) != 0) return false;
  return equal_in(a, b, {0, 4}) && equal_in(a, b, {8, 5}) && equal_in(a, b, {14, 2}) &&
         equal_in(a, b, {18, a.size() - 18});
}

std::uint32_t tcp_sequence(Bytes packet, std::size_t ip_header_size) {
  return load_be32(packet.data() + ip_header_size + 4);
}

/// Whether the kernel would accept the checksums, which are about to be made anew. 0xffff, where
/// the sum has zero, is another way to write the same number; a cut would not give it back.
bool has_right_checksums(Bytes packet, std::size_t ip_header_size) {
  if (packet[0] >> 4 == 4) {
    if (load_be16(packet.data() + 10) == 0xffff) return false;
    if (checksum_of(packet.first(ip_header_size)) != 0) return false;
  }
  const Bytes transport = packet.subspan(ip_header_size);
  const std::uint8_t protocol = protocol_of(packet);
  if (protocol == ip_protocol::kTcp && load_be16(transport.data() + kTcpChecksum) == 0xffff) {
    return false;
  }
  ChecksumSum sum = sum_of({.addresses = addresses_of(packet),
                            .protocol = protocol,
                            .length = static_cast<std::uint32_t>(transport.size())});
  sum.add(transport);
  return sum.verifies();
}

/// IPv4: no flag but "don't fragment".
bool has_plain_fragment_field(const IpPacket& ip) {
  if (!ip.is_v4()) return true;
  const std::uint16_t field = load_be16(ip.bytes.data() + 6);
  return field == 0 || field == kDontFragment;
}

void store_size16(std::uint8_t* to, std::size_t size) {
  RW_ASSERT(size <= 0xffff);
  store_be16(to, static_cast<std::uint16_t>(size));
}

}  // namespace

struct Coalescer::Candidate {
  const IpPacket& ip;
  std::uint32_t hash = 0;
  Bytes payload;
  std::size_t headers_size = 0;
  /// It may stand in a train, its neighbours permitting.
  bool mergeable = false;
  std::uint8_t outer_ecn = 0;
  /// It has to be the last one.
  bool has_psh = false;
};

Coalescer::Coalescer(const Settings& settings)
    : settings_(settings), frames_(kPacketsMax), pieces_(kPacketsMax) {}

void Coalescer::use(const Settings& settings) {
  RW_ASSERT(packet_count_ == 0);
  settings_ = settings;
}

bool Coalescer::add(const IpPacket& ip, std::uint8_t outer_ecn) {
  if (packet_count_ == kPacketsMax) return false;
  ++packet_count_;
  auto candidate = candidate_of(ip);
  if (!candidate) {
    close_all_between(ip);
    start_frame(ip);
    return true;
  }

  candidate->outer_ecn = outer_ecn;
  if (const auto slot = find_open(*candidate)) {
    Frame& train = frames_[open_frames_[*slot]];
    if (append(train, *candidate)) {
      const bool is_full = train.segment_count == kSegmentsMax;
      const bool is_short = candidate->payload.size() < train.gso_size;
      if (is_full || is_short || candidate->has_psh) close(*slot);
      return true;
    }
    close(*slot);
  }
  const auto index = static_cast<std::uint16_t>(frame_count_);
  Frame& frame = start_frame(ip);
  if (!candidate->mergeable || candidate->has_psh) return true;
  frame.ip_header_size = ip.header_size;
  frame.headers_size = candidate->headers_size;
  frame.payload_size = candidate->payload.size();
  frame.gso_size = static_cast<std::uint16_t>(candidate->payload.size());
  frame.outer_ecn = outer_ecn;
  open(*candidate, index);
  return true;
}

/// Nothing for packets whose flow cannot be seen.
std::optional<Coalescer::Candidate> Coalescer::candidate_of(const IpPacket& ip) const {
  if (ip.is_fragment) return std::nullopt;
  Candidate candidate{.ip = ip};
  if (const auto tcp = ip.tcp()) {
    candidate.payload = tcp->payload;
    candidate.has_psh = (tcp->flags & tcp_flag::kPsh) != 0;
    candidate.mergeable = settings_.tcp && (tcp->flags & tcp_flag::kAck) != 0 &&
                          (tcp->flags & ~kMergeableFlags) == 0 && tcp->reserved == 0 &&
                          tcp->urgent_pointer == 0;
  } else if (const auto udp = ip.udp()) {
    candidate.payload = udp->payload;
    candidate.mergeable = settings_.udp && udp->checksum != 0 && udp->length == ip.payload().size();
  } else {
    return std::nullopt;
  }
  if (candidate.payload.empty() || ip.has_options || !has_plain_fragment_field(ip)) {
    candidate.mergeable = false;
  }
  candidate.headers_size = ip.total_length() - candidate.payload.size();
  candidate.hash = flow_hash(addresses_of(ip.bytes), ip.payload().first(4));
  return candidate;
}

std::optional<std::size_t> Coalescer::find_open(const Candidate& candidate) const {
  for (std::size_t slot = 0; slot < open_count_; ++slot) {
    if (open_hashes_[slot] != candidate.hash) continue;
    const Frame& train = frames_[open_frames_[slot]];
    const Bytes mine = candidate.ip.bytes;
    if (train.first[0] >> 4 != mine[0] >> 4) continue;
    if (protocol_of(train.first) != candidate.ip.protocol) continue;
    if (!std::ranges::equal(addresses_of(train.first), addresses_of(mine))) continue;
    const Bytes ports = train.first.subspan(train.ip_header_size, 4);
    if (std::ranges::equal(ports, candidate.ip.payload().first(4))) return slot;
  }
  return std::nullopt;
}

/// Puts the candidate at the end of the train of its flow, or returns false when it does not fit.
bool Coalescer::append(Frame& train, const Candidate& candidate) {
  const Bytes packet = candidate.ip.bytes;
  if (!candidate.mergeable || candidate.headers_size != train.headers_size) return false;
  if (candidate.payload.size() > train.gso_size) return false;
  if (candidate.outer_ecn != train.outer_ecn) return false;
  const std::size_t size = train.headers_size + train.payload_size + candidate.payload.size();
  if (size > kPacketSizeMax || !same_ip_header(train.first, packet)) return false;
  if (candidate.ip.is_v4() && load_be16(packet.data() + 6) != kDontFragment) {
    const std::size_t expected =
        load_be16(train.first.data() + 4) + std::size_t{train.segment_count};
    if (load_be16(packet.data() + 4) != static_cast<std::uint16_t>(expected)) return false;
  }
  if (candidate.ip.protocol == ip_protocol::kTcp) {
    const Range transport{train.ip_header_size, train.headers_size - train.ip_header_size};
    if (!same_tcp_header(train.first.subspan(transport.at, transport.size),
                         packet.subspan(transport.at, transport.size))) {
      return false;
    }
    const std::size_t expected =
        tcp_sequence(train.first, train.ip_header_size) + train.payload_size;
    if (tcp_sequence(packet, train.ip_header_size) != static_cast<std::uint32_t>(expected)) {
      return false;
    }
  }
  // Last, because it reads every byte; and the first packet's only now, because most flows of
  // single packets never get here.
  if (!train.first_is_verified) {
    train.first_is_verified = has_right_checksums(train.first, train.ip_header_size);
    if (!train.first_is_verified) return false;
  }
  if (!has_right_checksums(packet, train.ip_header_size)) return false;

  const auto piece = static_cast<std::uint16_t>(piece_count_);
  ++piece_count_;
  pieces_[piece] = {.payload = candidate.payload, .next = kNone};
  if (train.last_piece == kNone) {
    train.first_piece = piece;
  } else {
    pieces_[train.last_piece].next = piece;
  }
  train.last_piece = piece;
  train.payload_size += candidate.payload.size();
  train.has_psh = candidate.has_psh;
  ++train.segment_count;
  return true;
}

/// The frame keeps its place, so that flows stay in order.
void Coalescer::close(std::size_t slot) {
  std::copy(open_hashes_.begin() + static_cast<std::ptrdiff_t>(slot) + 1,
            open_hashes_.begin() + static_cast<std::ptrdiff_t>(open_count_),
            open_hashes_.begin() + static_cast<std::ptrdiff_t>(slot));
  std::copy(open_frames_.begin() + static_cast<std::ptrdiff_t>(slot) + 1,
            open_frames_.begin() + static_cast<std::ptrdiff_t>(open_count_),
            open_frames_.begin() + static_cast<std::ptrdiff_t>(slot));
  --open_count_;
}

/// A packet whose ports cannot be seen, a later fragment say, may belong to any flow between its
/// addresses: what follows it must not be merged into what went before.
void Coalescer::close_all_between(const IpPacket& ip) {
  for (std::size_t slot = open_count_; slot-- > 0;) {
    const Bytes first = frames_[open_frames_[slot]].first;
    if (first[0] >> 4 != ip.bytes[0] >> 4) continue;
    if (std::ranges::equal(addresses_of(first), addresses_of(ip.bytes))) close(slot);
  }
}

Coalescer::Frame& Coalescer::start_frame(const IpPacket& ip) {
  Frame& frame = frames_[frame_count_];
  ++frame_count_;
  frame.first = ip.bytes;
  frame.segment_count = 1;
  frame.first_piece = kNone;
  frame.last_piece = kNone;
  frame.first_is_verified = false;
  frame.has_psh = false;
  return frame;
}

void Coalescer::open(const Candidate& candidate, std::uint16_t frame) {
  if (open_count_ == kFlowsMax) close(0);  // The one that was opened first.
  open_hashes_[open_count_] = candidate.hash;
  open_frames_[open_count_] = frame;
  ++open_count_;
}

std::span<const Bytes> Coalescer::gather(std::size_t index, std::span<Bytes, kGatherMax> spans) {
  RW_ASSERT(index < frame_count_);
  Frame& frame = frames_[index];
  if (frame.segment_count == 1) {
    spans[0] = kPlainVnetHeader;
    spans[1] = frame.first;
    return spans.first(2);
  }
  write_headers(frame);
  spans[0] = Bytes(frame.headers).first(kVnetHeaderSize + frame.headers_size);
  spans[1] = frame.first.subspan(frame.headers_size);
  std::size_t count = 2;
  for (std::uint16_t piece = frame.first_piece; piece != kNone; piece = pieces_[piece].next) {
    spans[count] = pieces_[piece].payload;
    ++count;
  }
  return spans.first(count);
}

/// The first packet's headers, for the whole train. The kernel finishes the transport checksum, for
/// which its field holds the sum of the pseudo header.
void Coalescer::write_headers(Frame& train) {
  const std::span<std::uint8_t> all(train.headers);
  const MutableBytes ip = all.subspan(kVnetHeaderSize, train.headers_size);
  std::memcpy(ip.data(), train.first.data(), train.headers_size);
  const bool v4 = ip[0] >> 4 == 4;
  const std::size_t total_length = train.headers_size + train.payload_size;
  if (v4) {
    store_size16(ip.data() + 2, total_length);
    store_be16(ip.data() + 10, 0);
    store_be16(ip.data() + 10, checksum_of(ip.first(train.ip_header_size)));
  } else {
    store_size16(ip.data() + 4, total_length - kIpv6HeaderSize);
  }

  const std::uint8_t protocol = protocol_of(ip);
  const bool is_tcp = protocol == ip_protocol::kTcp;
  const MutableBytes transport = ip.subspan(train.ip_header_size);
  const std::size_t transport_length = total_length - train.ip_header_size;
  if (is_tcp && train.has_psh) transport[kTcpFlags] |= tcp_flag::kPsh;
  if (!is_tcp) store_size16(transport.data() + kUdpLength, transport_length);
  const std::size_t checksum_at = is_tcp ? kTcpChecksum : kUdpChecksum;
  const ChecksumSum pseudo = sum_of({.addresses = addresses_of(ip),
                                     .protocol = protocol,
                                     .length = static_cast<std::uint32_t>(transport_length)});
  store_be16(transport.data() + checksum_at, pseudo.folded());

  const GsoType tcp_type = v4 ? GsoType::TcpV4 : GsoType::TcpV6;
  write_vnet_header(all.first<kVnetHeaderSize>(),
                    {.needs_checksum = true,
                     .gso_type = is_tcp ? tcp_type : GsoType::UdpL4,
                     .header_size = static_cast<std::uint16_t>(train.headers_size),
                     .gso_size = train.gso_size,
                     .checksum_start = static_cast<std::uint16_t>(train.ip_header_size),
                     .checksum_offset = static_cast<std::uint16_t>(checksum_at)});
}

void Coalescer::clear() {
  packet_count_ = 0;
  frame_count_ = 0;
  piece_count_ = 0;
  open_count_ = 0;
}

}  // namespace ringway
