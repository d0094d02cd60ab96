#include <cstdint>
#include <vector>

#include "base/check.h"
#include "tests/tun/packets.h"
#include "tun/ip_packet.h"
#include "tun/mss_clamp.h"

/// The checked view, and the clamp that relies on it. What must hold for any bytes: the view lies
/// within them; the clamp changes nothing but two bytes an option and the checksum, never raises an
/// MSS, and leaves a right checksum right.
namespace ringway {
namespace {

void check_view(const IpPacket& ip, Bytes input) {
  RW_ASSERT(ip.bytes.data() == input.data());
  RW_ASSERT(ip.bytes.size() <= input.size());
  RW_ASSERT(ip.header_size <= ip.bytes.size());
  RW_ASSERT(ip.header_size >= (ip.is_v4() ? kIpv4HeaderMin : kIpv6HeaderSize));
  RW_ASSERT(ip.source().is_v4() == ip.is_v4());
  RW_ASSERT(ip.destination().is_v4() == ip.is_v4());
  RW_ASSERT(ip.is_fragment || !ip.is_later_fragment);
  if (const auto tcp = ip.tcp()) {
    RW_ASSERT(!ip.is_later_fragment);
    RW_ASSERT(tcp->header_size + tcp->payload.size() == ip.payload().size());
    RW_ASSERT(tcp->options.size() + kTcpHeaderMin == tcp->header_size);
  }
  if (const auto udp = ip.udp()) {
    RW_ASSERT(!ip.is_later_fragment);
    RW_ASSERT(kUdpHeaderSize + udp->payload.size() <= ip.payload().size());
  }
}

bool has_right_checksum(const test::Packet& packet, const IpPacket& ip) {
  const std::size_t field = ip.header_size + std::size_t{16};
  return load_be16(packet.data() + field) ==
         test::reference_transport_checksum(packet, ip.header_size, field);
}

bool clamp(test::Packet& packet, const MssLimits& limits) {
  const auto ip = parse_ip_packet(packet);
  RW_ASSERT(ip.has_value());
  return clamp_mss(packet, *ip, limits);
}

void check_clamp(const IpPacket& ip) {
  const test::Packet before(ip.bytes.begin(), ip.bytes.end());
  test::Packet after = before;
  constexpr MssLimits kLimits{.v4 = 1360, .v6 = 1340};
  const bool changed = clamp(after, kLimits);
  RW_ASSERT(changed == (before != after));
  if (!changed) return;

  RW_ASSERT(ip.tcp().has_value());
  RW_ASSERT((ip.tcp()->flags & tcp_flag::kSyn) != 0);
  RW_ASSERT(!ip.is_fragment);
  const std::size_t options_at = ip.header_size + kTcpHeaderMin;
  const std::size_t options_end = options_at + ip.tcp()->options.size();
  const std::size_t checksum_at = ip.header_size + std::size_t{16};
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool may_change = (i >= options_at && i < options_end) || i / 2 == checksum_at / 2;
    RW_ASSERT(may_change || before[i] == after[i]);
  }
  if (!ip.has_options && has_right_checksum(before, ip)) {
    RW_ASSERT(has_right_checksum(after, ip));
  }
  RW_ASSERT(!clamp(after, kLimits));
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ringway::Bytes input(data, size);
  const auto ip = ringway::parse_ip_packet(input);
  if (!ip) return 0;
  ringway::check_view(*ip, input);
  ringway::check_clamp(*ip);
  return 0;
}
