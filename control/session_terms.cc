#include "control/session_terms.h"

#include <cstdint>

#include "dataplane/channel/outer_size.h"

namespace ringway {

namespace {

constexpr int kIpv4 = 20;
constexpr int kIpv6 = 40;
constexpr int kTcp = 20;
/// The least MSS that a host may assume (RFC 879); below it a limit would only do harm.
constexpr int kMssMin = 536;

/// The largest inner packet, IP header included, that `mssfix` makes room for.
int inner_packet_size(const TunnelConfig::MssFix& mssfix, const OuterFormat& outer) {
  using Mode = TunnelConfig::MssFix::Mode;
  const int value = mssfix.value;
  switch (mssfix.mode) {
    case Mode::Payload: return value - static_cast<int>(outer.data_channel_size());
    case Mode::Mtu: return value - static_cast<int>(outer.size());
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
      inner_packet_size(mssfix, {.is_v4 = endpoint.address.is_v4(), .data_v2 = data_v2});
  return {mss_limit(packet_size, kIpv4), mss_limit(packet_size, kIpv6)};
}

}  // namespace ringway
