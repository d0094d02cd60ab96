#include "dataplane/channel/mss_fix.h"

#include <algorithm>

namespace ringway {
namespace {

constexpr std::size_t kIpv4 = 20;
constexpr std::size_t kIpv6 = 40;
constexpr std::size_t kTcp = 20;
/// The least MSS that a host may assume (RFC 879); below it a limit would only do harm.
constexpr std::size_t kMssMin = 536;

std::size_t less(std::size_t size, std::size_t by) { return size > by ? size - by : 0; }

/// The largest inner packet, IP header included, that `mssfix` makes room for.
std::size_t packet_size(const MssFix& mssfix, const OuterFormat& outer, const PathRoom& path) {
  std::size_t written = mssfix.value;
  switch (mssfix.mode) {
    case MssFix::Mode::Path: return path.packet_max;
    case MssFix::Mode::Payload: written = less(written, outer.data_channel_size()); break;
    case MssFix::Mode::Mtu: written = less(written, outer.size()); break;
    case MssFix::Mode::Fixed: break;
  }
  return path.is_measured ? std::min(written, path.packet_max) : written;
}

std::uint16_t mss_limit(std::size_t packet_size, std::size_t ip_header) {
  const std::size_t mss = std::max(less(packet_size, ip_header + kTcp), kMssMin);
  return static_cast<std::uint16_t>(std::min<std::size_t>(mss, 0xffff));
}

}  // namespace

InnerMss mss_limits(const MssFix& mssfix, const OuterFormat& outer, const PathRoom& path) {
  if (mssfix.mode != MssFix::Mode::Path && mssfix.value == 0) return {};
  const std::size_t size = packet_size(mssfix, outer, path);
  return {.v4 = mss_limit(size, kIpv4), .v6 = mss_limit(size, kIpv6)};
}

}  // namespace ringway
