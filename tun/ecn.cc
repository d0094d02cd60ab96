#include "tun/ecn.h"

#include "base/check.h"
#include "tun/checksum.h"

namespace ringway {

std::optional<std::uint8_t> combined_ecn(const EcnMarks& marks) {
  RW_ASSERT(marks.inner <= ecn::kMask);
  RW_ASSERT(marks.outer <= ecn::kMask);
  if (marks.inner == ecn::kNotCapable) {
    if (marks.outer == ecn::kCongestion) return std::nullopt;
    return ecn::kNotCapable;
  }
  if (marks.inner == ecn::kCongestion || marks.outer == ecn::kCongestion) return ecn::kCongestion;
  // ECT(1) may be a lesser sign of congestion than CE (RFC 6040 4.2), so it is not lost.
  return marks.outer == ecn::kCapable1 ? ecn::kCapable1 : marks.inner;
}

void set_ecn(MutableBytes packet, IpPacket& ip, std::uint8_t mark) {
  RW_ASSERT(mark <= ecn::kMask);
  const auto traffic_class = static_cast<std::uint8_t>((ip.traffic_class & ~ecn::kMask) | mark);
  const std::uint16_t before = load_be16(packet.data());
  if (ip.is_v4()) {
    packet[1] = traffic_class;
    const std::uint16_t checksum = load_be16(packet.data() + 10);
    store_be16(packet.data() + 10,
               updated_checksum(checksum, {.from = before, .to = load_be16(packet.data())}));
  } else {
    // The class stands across the first two bytes: version 4, class 8, flow label 20.
    store_be16(packet.data(), static_cast<std::uint16_t>((before & 0xf00f) | traffic_class << 4));
  }
  ip.traffic_class = traffic_class;
}

}  // namespace ringway
