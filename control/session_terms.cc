#include "control/session_terms.h"

#include <cstdint>

namespace ringway {

namespace {

/// Opcode and peer id 4, packet id 4, tag 16; DATA_V1 has no peer id.
constexpr int kDataV2Overhead = 24;
constexpr int kDataV1Overhead = 21;
constexpr int kUdp = 8;
constexpr int kIpv4 = 20;
constexpr int kIpv6 = 40;
constexpr int kTcp = 20;
/// The least MSS that a host may assume (RFC 879); below it a limit would only do harm.
constexpr int kMssMin = 536;

/// The largest inner packet, IP header included, that `mssfix` makes room for.
int inner_packet_size(const TunnelConfig::MssFix& mssfix, const Endpoint& endpoint, int overhead) {
  using Mode = TunnelConfig::MssFix::Mode;
  const int value = mssfix.value;
  switch (mssfix.mode) {
    case Mode::Payload: return value - overhead;
    case Mode::Mtu: return value - overhead - kUdp - (endpoint.address.is_v4() ? kIpv4 : kIpv6);
    case Mode::Fixed: return value;
  }
  return value;
}

std::uint16_t mss_limit(int packet_size, int ip_header) {
  const int mss = packet_size - ip_header - kTcp;
  return static_cast<std::uint16_t>(mss < kMssMin ? kMssMin : mss);
}

}  // namespace

SessionSettings session_terms(const ServerConfig& config, const Endpoint& endpoint, bool data_v2) {
  SessionSettings settings{.ping_interval = config.timers.ping,
                           .ping_restart = config.timers.ping_restart,
                           .data_v2 = data_v2};
  const MssLimits limits = mss_limits(config.tunnel.mssfix, endpoint, data_v2);
  settings.mss_limit_v4 = limits.v4;
  settings.mss_limit_v6 = limits.v6;
  return settings;
}

MssLimits mss_limits(const TunnelConfig::MssFix& mssfix, const Endpoint& endpoint, bool data_v2) {
  if (mssfix.value == 0) return {};
  const int packet_size =
      inner_packet_size(mssfix, endpoint, data_v2 ? kDataV2Overhead : kDataV1Overhead);
  return {mss_limit(packet_size, kIpv4), mss_limit(packet_size, kIpv6)};
}

}  // namespace ringway
