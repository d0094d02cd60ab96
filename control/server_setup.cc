#include "control/server_setup.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "control/control_plane.h"
#include "control/open_patiently.h"
#include "dataplane/offloads.h"
#include "tun/link_config.h"

namespace ringway {

namespace {

/// Two keys each way and one more pair during a renegotiation; the channel's own are few.
constexpr std::size_t kSecretsPerClient = 12;
constexpr std::size_t kSecretsPerHalfOpen = 4;
/// The newest and the older key of a session, each way, where the engine keeps them here. A new key
/// takes the place of one that is wiped first. But a client that comes back to another worker has
/// its new session's first key there, perhaps before the worker it leaves has wiped both old ones.
constexpr std::size_t kSchedulesPerClient = 4 + 2;
constexpr std::size_t kSchedulesOfSelfTests = 16;

SocketFamily socket_family(LinkFamily family) {
  switch (family) {
    case LinkFamily::Both: return SocketFamily::Both;
    case LinkFamily::V4Only: return SocketFamily::V4Only;
    case LinkFamily::V6Only: return SocketFamily::V6Only;
  }
  return SocketFamily::Both;
}

LinkSettings link_settings(const TunnelConfig& config) {
  LinkSettings settings{.mtu = config.mtu, .tx_queue_length = config.txqueuelen};
  if (config.network_v4) {
    settings.v4 = InterfaceAddress{.address = config.network_v4->address.plus(1),
                                   .prefix_length = config.network_v4->length};
  }
  if (config.network_v6) {
    settings.v6 = InterfaceAddress{.address = config.network_v6->address.plus(1),
                                   .prefix_length = config.network_v6->length};
  }
  for (const Prefix& route : config.routes) {
    settings.routes.push_back({.destination = route, .metric = std::nullopt});
  }
  return settings;
}

}  // namespace

void reserve_secrets(const ServerConfig& config) {
  const std::size_t slots = SecretArena::kDefaultSlots + kSecretsPerClient * config.clients_max +
                            kSecretsPerHalfOpen * ControlPlane::kHalfOpenMax;
  const std::size_t schedules = kSchedulesOfSelfTests + kSchedulesPerClient * config.clients_max;
  const Result<void> locked = SecretArena::reserve({.slots = slots, .key_schedules = schedules});
  if (!locked) log::warning("keys may be swapped out: {}", locked.error().to_string());
}

Result<std::vector<UdpSocketGroup>> open_listeners(const ServerConfig& config, WorkerPlan& plan) {
  std::vector<UdpSocketGroup> groups;
  bool is_steered = true;
  bool has_gro = true;
  for (const ListenConfig& listen : config.listen) {
    Result<UdpSocketGroup> group = open_patiently([&] {
      return open_udp_sockets({.address = listen.address,
                               .port = listen.port,
                               .family = socket_family(listen.family),
                               .send_buffer_size = config.send_buffer,
                               .receive_buffer_size = config.receive_buffer,
                               .gro = plan.offloads.link_gro},
                              plan.count);
    });
    if (!group) return std::unexpected(group.error());
    log::info("{}", listener_line(listen, group->sockets.front().local(), group->without_ipv6));
    if (group->without_ipv6 && listen.family == LinkFamily::Both) {
      log::warning("this kernel has no IPv6: `proto {}` serves IPv4 only", listen.proto_text);
    }
    is_steered = is_steered && group->steered;
    has_gro = has_gro && group->gro;
    groups.push_back(std::move(*group));
  }
  if (!is_steered && plan.count > 1) {
    log::warning("the kernel does not sort datagrams by peer id; workers pass them on");
  }
  plan.offloads.link_gro = plan.offloads.link_gro && has_gro;
  return groups;
}

std::string listener_line(const ListenConfig& listen, const Endpoint& bound, bool without_ipv6) {
  const std::string v4 =
      bound.address.is_unspecified() ? fmt::format("0.0.0.0:{}", bound.port) : bound.to_string();
  if (bound.address.is_v4() || listen.family == LinkFamily::V4Only || without_ipv6) {
    return fmt::format("{}: serving IPv4 on {}, no IPv6", listen.proto_text, v4);
  }
  if (listen.family == LinkFamily::V6Only) {
    return fmt::format("{}: serving IPv6 on {}, no IPv4 (IPV6_V6ONLY=1)", listen.proto_text,
                       bound.to_string());
  }
  if (!bound.address.is_unspecified()) {
    return fmt::format("{}: serving IPv6 on {}, no IPv4, because `local` names an IPv6 address",
                       listen.proto_text, bound.to_string());
  }
  return fmt::format(
      "{}: serving IPv4 on {} and IPv6 on {} through one socket a worker (IPV6_V6ONLY=0, "
      "whatever "
      "net.ipv6.bindv6only says)",
      listen.proto_text, v4, bound.to_string());
}

Result<TunDevice> open_tun(const TunnelConfig& config, std::uint16_t worker_count,
                           const TunOffloads& wanted) {
  Result<TunDevice> tun = open_patiently([&] {
    return TunDevice::open(
        {.name = config.device, .queue_count = worker_count, .offloads = wanted});
  });
  if (!tun) return std::unexpected(tun.error());
  Result<LinkConfig> link = LinkConfig::open(tun->name());
  if (!link) return std::unexpected(link.error());
  const LinkSettings settings = link_settings(config);
  const Result<std::vector<LinkRoute>> left_out = link->apply(settings);
  if (!left_out) return std::unexpected(left_out.error());
  if (!left_out->empty()) {
    const std::string route = left_out->front().destination.to_string();
    return fail(
        fmt::format("cannot add the route {}: the host has one already", route), tun->name(),
        fmt::format("see \"ip route show {}\" and delete that one, or the line `route`", route));
  }
  log::info("{}: up with {}{}{}, MTU {}, {} queue{}", tun->name(),
            settings.v4 ? settings.v4->to_string() : "", settings.v4 && settings.v6 ? " and " : "",
            settings.v6 ? settings.v6->to_string() : "", settings.mtu, worker_count,
            worker_count == 1 ? "" : "s");
  return tun;
}

std::optional<TunSteering> steer_tun(TunDevice& tun, const ServerConfig& config) {
  if (tun.queue_count() == 1) return std::nullopt;
  Result<TunSteering> steering = TunSteering::load({.hosts_max = 2 * config.clients_max + 16});
  Result<void> attached;
  if (steering) attached = tun.steer_with(steering->program_fd());
  if (steering && attached) return std::move(*steering);
  log::warning("the kernel does not sort inner packets by client, workers pass them on: {}",
               (steering ? attached.error() : steering.error()).to_string());
  return std::nullopt;
}

DatapathSettings datapath_settings(const ServerConfig& config) {
  DatapathSettings settings{.client_to_client = config.client_to_client,
                            .pool_v4 = config.tunnel.network_v4,
                            .pool_v6 = config.tunnel.network_v6,
                            .tun_mtu = config.tunnel.mtu,
                            .sessions_max = 2 * config.clients_max};
  SystemRandom().fill(settings.address_hash.key);
  if (settings.pool_v4) settings.own_v4 = settings.pool_v4->address.plus(1);
  if (settings.pool_v6) settings.own_v6 = settings.pool_v6->address.plus(1);
  return settings;
}

}  // namespace ringway
