#include "control/server_setup.h"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "control/channel/push.h"
#include "control/config/tunnel_addresses.h"
#include "control/control_plane.h"
#include "control/listener_names.h"
#include "control/name_lookup.h"
#include "control/open_patiently.h"
#include "control/process_limits.h"
#include "control/session_terms.h"
#include "dataplane/channel/epoch_keys.h"
#include "dataplane/channel/key_slots.h"
#include "dataplane/offloads.h"
#include "tun/link_config.h"

namespace ringway {

namespace {
/// The kernel takes memory for those that there are.
constexpr std::size_t kSteeredPrefixesMax = 1'000'000;

SocketFamily socket_family(LinkFamily family) {
  switch (family) {
    case LinkFamily::Both: return SocketFamily::Both;
    case LinkFamily::V4Only: return SocketFamily::V4Only;
    case LinkFamily::V6Only: return SocketFamily::V6Only;
  }
  return SocketFamily::Both;
}

/// The interface's number, which may stand for its name; 0 for a name that is none.
std::uint32_t scope_id_of(const std::string& scope) {
  const unsigned index = ::if_nametoindex(scope.c_str());
  if (index != 0) return index;
  std::uint32_t number = 0;
  std::from_chars(scope.data(), scope.data() + scope.size(), number);
  return number;
}

UdpSocketSettings socket_settings(const ServerConfig& config, const ListenConfig& listen,
                                  bool gro) {
  return {.address = listen.address,
          .scope_id = scope_id_of(listen.scope),
          .port = listen.port,
          .family = socket_family(listen.family),
          .send_buffer_size = config.send_buffer,
          .receive_buffer_size = config.receive_buffer,
          .gro = gro,
          .route = {.device = config.outside.device, .mark = config.outside.mark}};
}

/// An address that came of a name is in no line: the name is.
Error with_line(Error error, const ListenConfig& listen) {
  if (!listen.host.empty()) {
    error.what = fmt::format("`local {}` is {}, and {}", listen.host, listen.address->to_string(),
                             error.what);
    error.where = listen.where;
  } else if (!listen.scope.empty()) {
    error.where += "%" + listen.scope;
  }
  return error;
}

Result<void> check_scope(const ListenConfig& listen) {
  if (listen.scope.empty() || scope_id_of(listen.scope) != 0) return {};
  return fail(fmt::format("`local {}%{}`: this machine has no such interface",
                          listen.address->to_string(), listen.scope),
              listen.where, "correct the name after %; `ip link` shows what there is");
}

std::string families_line(const ListenConfig& listen, const Endpoint& bound, bool without_ipv6);

LinkSettings link_settings(const TunnelConfig& config) {
  LinkSettings settings{.mtu = config.mtu, .tx_queue_length = config.txqueuelen};
  if (config.network_v4) {
    settings.v4 = InterfaceAddress{.address = *own_address_v4(config),
                                   .prefix_length = config.network_v4->length};
  }
  if (config.network_v6) {
    settings.v6 = InterfaceAddress{.address = *own_address_v6(config),
                                   .prefix_length = config.network_v6->length};
  }
  for (const Prefix& route : config.routes) {
    settings.routes.push_back({.destination = route, .metric = std::nullopt});
  }
  return settings;
}

/// Before anything is opened that a limit could be too low for.
Result<void> settle_limits(const ServerConfig& config, const WorkerPlan& plan) {
  const ProcessLimits limits = raise_limits();
  if (auto warning = warning_of_limits(config, limits)) log::warning("{}", *warning);
  return check_limits(config, plan, limits);
}

/// Many times what stock clients read before they give up.
constexpr std::size_t kPushMessagesMax = 32;

}  // namespace

Result<void> check_pushes(const std::vector<std::string>& pushes, const std::string& where) {
  std::vector<std::string> refused;
  const std::size_t messages = encode_push_reply({.options = pushes}, &refused).size();
  if (messages > kPushMessagesMax) {
    return fail(fmt::format("what is pushed fills {} messages, and at most {} are sent", messages,
                            kPushMessagesMax),
                where, "push fewer and wider routes");
  }
  for (const std::string& option : refused) {
    log::warning("push \"{}\" is not sent: a comma, a control character or more than 255 bytes",
                 log::escape(option));
  }
  return {};
}

Result<void> reserve_secrets(const ServerConfig& config) {
  const SecretArena::Room room = room_for_secrets(config);
  if (auto fits = check_secrets(config, raise_limits()); !fits) return fits;
  const Result<void> locked = SecretArena::reserve(room);
  if (!locked) log::warning("keys may be swapped out: {}", locked.error().to_string());
  return {};
}

Result<void> look_up_listeners(ServerConfig& config) {
  static constexpr Duration kLookupPatience = 20s;
  Result<std::vector<ListenConfig>> resolved =
      resolve_listeners(config.listen, [](const std::string& name, LinkFamily family) {
        return look_up_name(name, family, kLookupPatience);
      });
  if (!resolved) return std::unexpected(resolved.error());
  config.listen = std::move(*resolved);
  for (const ListenConfig& listen : config.listen) {
    if (listen.host.empty() || !is_loopback(*listen.address)) continue;
    log::warning(
        "{}: `local {}` is {}, which this machine alone can reach; see /etc/hosts, or write the "
        "address",
        listen.where, listen.host, listen.address->to_string());
  }
  return {};
}

Result<std::vector<UdpSocketGroup>> open_listeners(const ServerConfig& config, WorkerPlan& plan) {
  if (auto fits = settle_limits(config, plan); !fits) return std::unexpected(fits.error());
  std::vector<UdpSocketGroup> groups;
  bool is_steered = true;
  bool has_gro = true;
  for (const ListenConfig& listen : config.listen) {
    if (listen.is_tcp) continue;
    if (auto checked = check_scope(listen); !checked) return std::unexpected(checked.error());
    const UdpSocketSettings settings = socket_settings(config, listen, plan.offloads.link_gro);
    Result<UdpSocketGroup> group =
        open_patiently([&] { return open_udp_sockets(settings, plan.count); });
    if (!group) return std::unexpected(with_line(group.error(), listen));
    log::info("{}", listener_line(listen, group->sockets.front().local(), group->without_ipv6));
    if (group->without_ipv6 && listen.family == LinkFamily::Both) {
      log::warning("this kernel has no IPv6: `proto {}` serves IPv4 only", listen.proto_text);
    }
    is_steered = is_steered && group->steered;
    has_gro = has_gro && group->gro;
    groups.push_back(std::move(*group));
  }
  if (!is_steered && plan.count > 1 && !groups.empty()) {
    log::warning("the kernel does not sort datagrams by peer id; workers pass them on");
  }
  plan.offloads.link_gro = plan.offloads.link_gro && has_gro;
  return groups;
}

Result<std::vector<TcpListenerGroup>> open_tcp_listeners(const ServerConfig& config,
                                                         const WorkerPlan& plan) {
  std::vector<TcpListenerGroup> groups;
  for (const ListenConfig& listen : config.listen) {
    if (!listen.is_tcp) continue;
    if (auto checked = check_scope(listen); !checked) return std::unexpected(checked.error());
    const TcpListenSettings settings{
        .address = listen.address,
        .scope_id = scope_id_of(listen.scope),
        .port = listen.port,
        .family = socket_family(listen.family),
        .route = {.device = config.outside.device, .mark = config.outside.mark}};
    Result<TcpListenerGroup> group =
        open_patiently([&] { return open_tcp_listeners(settings, plan.count); });
    if (!group) return std::unexpected(with_line(group.error(), listen));
    log::info("{}", listener_line(listen, group->listeners.front().local(), group->without_ipv6));
    if (group->without_ipv6 && listen.family == LinkFamily::Both) {
      log::warning("this kernel has no IPv6: `proto {}` serves IPv4 only", listen.proto_text);
    }
    groups.push_back(std::move(*group));
  }
  return groups;
}

WorkerLimits worker_limits(const ServerConfig& config) {
  WorkerLimits limits;
  // The kernel spreads connections by their addresses and not evenly: all clients may meet at one
  // worker. As many again as may be half-open are on their way out.
  limits.streams_max = config.clients_max + 2 * limits.half_open_streams_max;
  return limits;
}

std::string listener_line(const ListenConfig& listen, const Endpoint& bound, bool without_ipv6) {
  const std::string line = families_line(listen, bound, without_ipv6);
  return listen.host.empty() ? line : fmt::format("{} (local {})", line, listen.host);
}

namespace {

std::string families_line(const ListenConfig& listen, const Endpoint& bound, bool without_ipv6) {
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

}  // namespace

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
  Result<TunSteering> steering =
      TunSteering::load({.hosts_max = 2 * config.clients_max + 16,
                         .prefixes_max = static_cast<std::uint32_t>(std::min<std::size_t>(
                             inner_routes_max(config), kSteeredPrefixesMax))});
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
                            .sessions_max = sessions_max(config)};
  SystemRandom().fill(settings.address_hash.key);
  settings.own_v4 = own_address_v4(config.tunnel);
  settings.own_v6 = own_address_v6(config.tunnel);
  return settings;
}

}  // namespace ringway
