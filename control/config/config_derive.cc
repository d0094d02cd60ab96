#include "control/config/config_derive.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/config/tunnel_addresses.h"

namespace ringway {
namespace {

std::int64_t seconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

Result<LinkFamily> family_of(const ConfigDraft& draft, const std::string& proto) {
  if (proto.starts_with("udp6") || proto.starts_with("tcp6"))
    return draft.bind_ipv6_only ? LinkFamily::V6Only : LinkFamily::Both;
  if (draft.bind_ipv6_only) {
    return fail(fmt::format("`bind ipv6only` and `proto {}` contradict each other", proto),
                draft.place_of("bind"),
                fmt::format("write `proto {}6`, or delete `bind ipv6only`", proto.substr(0, 3)));
  }
  const bool is_v4 = proto.starts_with("udp4") || proto.starts_with("tcp4");
  return is_v4 ? LinkFamily::V4Only : LinkFamily::Both;
}

/// Narrows the listener to the family of its address.
Result<void> fit_family_to_address(ListenConfig& listen, const LocalLine& local) {
  const IpAddress address = *local.address;
  const bool is_v4 = address.is_v4();
  const bool clashes =
      is_v4 ? listen.family == LinkFamily::V6Only || listen.proto_text.substr(3).starts_with('6')
            : listen.family == LinkFamily::V4Only;
  if (clashes) {
    return fail(fmt::format("`local {}` and `proto {}` are of different families",
                            address.to_string(), listen.proto_text),
                local.where,
                fmt::format("write `proto {0}`, which follows the address, or `proto {0}{1}`",
                            listen.is_tcp ? "tcp" : "udp", is_v4 ? 4 : 6));
  }
  if (is_v4) {
    listen.family = LinkFamily::V4Only;
  } else if (!address.is_unspecified()) {
    listen.family = LinkFamily::V6Only;
  }
  if (!address.is_unspecified()) listen.address = address;
  if (is_link_local(address) && listen.scope.empty()) {
    return fail(fmt::format("`local {}` does not say on which interface", address.to_string()),
                local.where,
                fmt::format("write `local {}%eth0` with the interface's name, or `bind-dev`",
                            address.to_string()));
  }
  return {};
}

bool families_meet(LinkFamily a, LinkFamily b) {
  return a == b || a == LinkFamily::Both || b == LinkFamily::Both;
}

/// Two sockets that would both get a datagram, or of which the kernel would refuse the second. A
/// listener without an address has all of them.
bool overlap(const ListenConfig& a, const ListenConfig& b) {
  if (a.is_tcp != b.is_tcp || a.port != b.port || !families_meet(a.family, b.family)) return false;
  const bool has_all = (!a.address && a.host.empty()) || (!b.address && b.host.empty());
  // Which addresses a name has is known at start.
  return has_all || (a.address == b.address && a.host == b.host && a.scope == b.scope);
}

Result<void> add_listener(ConfigDraft& draft, ListenConfig listen, const std::string& where) {
  std::vector<ListenConfig>& listens = draft.config.listen;
  const auto same = [&](const ListenConfig& other) { return overlap(listen, other); };
  if (std::ranges::any_of(listens, same)) {
    return fail(
        fmt::format("port {} of this address is what another `local` line listens on", listen.port),
        where,
        "delete one of the lines, or give one another port or family: `local ADDRESS PORT "
        "udp4`");
  }
  if (listens.size() == kListenersMax) {
    return fail(fmt::format("port {} of this line is one listener too many: {} are allowed",
                            listen.port, kListenersMax),
                where, "name fewer ports, or listen on all addresses with one `local *`");
  }
  listens.push_back(std::move(listen));
  return {};
}

Result<void> add_listeners(ConfigDraft& draft, const LocalLine& local) {
  ListenConfig listen;
  listen.proto_text = local.proto.empty() ? draft.proto : local.proto;
  listen.is_tcp = listen.proto_text.starts_with("tcp");
  const Result<LinkFamily> family = family_of(draft, listen.proto_text);
  if (!family) return std::unexpected(family.error());
  listen.family = *family;
  listen.where = local.where;
  listen.host = local.host;
  listen.scope = local.scope;
  if (local.address && is_link_local(*local.address) && listen.scope.empty()) {
    listen.scope = draft.config.outside.device;
  }
  // A name has addresses of its own for each family, so `udp6` needs no IPv4 by the way.
  if (!listen.host.empty() && listen.proto_text == "udp6") listen.family = LinkFamily::V6Only;
  if (local.address) {
    if (auto fitted = fit_family_to_address(listen, local); !fitted) return fitted;
  }
  const PortRange ports = local.ports.value_or(draft.ports);
  for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
    listen.port = static_cast<std::uint16_t>(port);
    if (auto added = add_listener(draft, listen, local.where); !added) return added;
  }
  return {};
}

Result<void> derive_listeners(ConfigDraft& draft) {
  std::vector<LocalLine> locals = draft.locals;
  if (locals.empty()) {
    const char* option = draft.has("port") ? "port" : draft.has("lport") ? "lport" : "proto";
    locals.push_back({.where = draft.place_of(option)});
  }
  for (const LocalLine& local : locals) {
    if (auto added = draft.settle(add_listeners(draft, local)); !added) return added;
  }
  std::ranges::stable_partition(draft.config.listen,
                                [](const ListenConfig& listen) { return !listen.is_tcp; });
  for (const bool is_tcp : {false, true}) {
    const bool is_dual = std::ranges::any_of(draft.config.listen, [&](const ListenConfig& listen) {
      return listen.is_tcp == is_tcp && listen.family == LinkFamily::Both &&
             !listen.proto_text.ends_with('6') && !listen.proto_text.starts_with("tcp6");
    });
    if (!is_dual) continue;
    draft.config.notes.push_back(fmt::format(
        "`proto {0}` serves IPv4 and IPv6, where OpenVPN serves IPv4 only; for that, write `proto "
        "{0}4`",
        is_tcp ? "tcp" : "udp"));
  }
  return {};
}

Result<void> derive_timers(ConfigDraft& draft) {
  TimerConfig& timers = draft.config.timers;
  if (draft.keepalive) {
    const Duration interval = draft.keepalive->interval;
    const Duration timeout = draft.keepalive->timeout;
    if (draft.has("ping") || draft.has("ping-restart")) {
      return fail("`keepalive` already says what `ping` and `ping-restart` say",
                  draft.place_of(draft.has("ping") ? "ping" : "ping-restart"), "delete this line");
    }
    const bool is_off = interval == Duration{0} && timeout == Duration{0};
    if (!is_off && (interval == Duration{0} || timeout < 2 * interval)) {
      const std::int64_t usable = interval == Duration{0} ? 10 : seconds_of(interval);
      return fail(fmt::format("`keepalive {} {}`: the timeout must be at least twice the interval",
                              seconds_of(interval), seconds_of(timeout)),
                  draft.place_of("keepalive"),
                  fmt::format("write for example `keepalive {} {}`", usable, usable * 6));
    }
    timers.ping = interval;
    timers.ping_restart = 2 * timeout;
  }
  if (draft.config.tokens.enabled && draft.config.tokens.renewal == Duration{0}) {
    constexpr Duration kRenewal = 3600s;
    draft.config.tokens.renewal = timers.renegotiate > Duration{0} ? timers.renegotiate : kRenewal;
  }
  if (timers.ping_restart == Duration{0}) {
    draft.config.notes.push_back(
        "without `keepalive` nobody notices when a client or the server is gone; write `keepalive "
        "10 60`");
  }
  return {};
}

Result<void> check_range(const AddressRange& range, const std::optional<Prefix>& network,
                         const std::string& option, const ConfigDraft& draft) {
  if (!network || (network->contains(range.first) && network->contains(range.last))) return {};
  const bool is_v4 = range.first.is_v4();
  return fail(
      fmt::format("`{}` is not within the tunnel's network {}", option, network->to_string()),
      draft.place_of(option),
      is_v4 ? fmt::format("write `ifconfig-pool {} {}`", network->address.plus(2).to_string(),
                          IpAddress::v4(last_address(*network).v4_value() - 1).to_string())
            : fmt::format("write `ifconfig-ipv6-pool {}/{}`",
                          network->address.plus(0x1000).to_string(), network->length));
}

Result<void> exclude_both(const ConfigDraft& draft, const char* macro, const char* option,
                          const std::string& advice) {
  if (!draft.has(macro) || !draft.has(option)) return {};
  return fail(fmt::format("`{}` already says what `{}` says", macro, option),
              draft.place_of(option), advice);
}

/// `ifconfig` and its pool stand for what `server` writes in one line.
Result<void> derive_addresses_v4(ConfigDraft& draft) {
  TunnelConfig& tunnel = draft.config.tunnel;
  if (auto one = exclude_both(draft, "server", "ifconfig", "delete one of the lines"); !one) {
    return one;
  }
  if (draft.ifconfig) {
    tunnel.network_v4 = draft.ifconfig->network;
    tunnel.address_v4 = draft.ifconfig->address;
    tunnel.pool_v4 = false;
  }
  if (!draft.ifconfig_pool) return {};
  if (tunnel.pool_v4 && tunnel.network_v4) {
    return exclude_both(
        draft, "server", "ifconfig-pool",
        fmt::format("delete this line, or write `server {} {} nopool`",
                    tunnel.network_v4->address.to_string(), tunnel.network_v4->netmask_text()));
  }
  tunnel.pool_v4 = true;
  tunnel.range_v4 = draft.ifconfig_pool;
  return check_range(*tunnel.range_v4, tunnel.network_v4, "ifconfig-pool", draft);
}

Result<void> derive_addresses_v6(ConfigDraft& draft) {
  TunnelConfig& tunnel = draft.config.tunnel;
  for (const char* option : {"ifconfig-ipv6", "ifconfig-ipv6-pool"}) {
    auto one = exclude_both(draft, "server-ipv6", option,
                            "delete this line, or write `ifconfig-ipv6` and `ifconfig-ipv6-pool` "
                            "in place of `server-ipv6`");
    if (!one) return one;
  }
  if (draft.ifconfig_ipv6) {
    tunnel.network_v6 = draft.ifconfig_ipv6->network;
    tunnel.address_v6 = draft.ifconfig_ipv6->address;
    tunnel.pool_v6 = false;
  }
  if (!draft.ifconfig_ipv6_pool) return {};
  tunnel.pool_v6 = true;
  tunnel.range_v6 = draft.ifconfig_ipv6_pool;
  return check_range(*tunnel.range_v6, tunnel.network_v6, "ifconfig-ipv6-pool", draft);
}

/// What other options imply stands behind the `push` lines, as with OpenVPN, so that where both
/// name an option the server's own value wins.
void derive_push(ConfigDraft& draft) {
  std::vector<std::string>& push = draft.config.push;
  push = draft.push;
  const auto imply = [&](std::string option) {
    if (std::ranges::find(push, option) == push.end()) push.push_back(std::move(option));
  };
  const TunnelConfig& tunnel = draft.config.tunnel;
  if (tunnel.network_v6) imply("tun-ipv6");
  // `server` pushes its address as the gateway, whatever else is pushed; without it, a line that
  // was written by hand counts.
  const bool has_gateway = std::ranges::any_of(
      push, [](const std::string& option) { return option.starts_with("route-gateway "); });
  if (tunnel.network_v4 && (!tunnel.address_v4 || !has_gateway)) {
    imply(fmt::format("route-gateway {}", own_address_v4(tunnel)->to_string()));
  }
  imply("topology subnet");
  if (draft.keepalive && draft.keepalive->interval > Duration{0}) {
    imply(fmt::format("ping {}", seconds_of(draft.keepalive->interval)));
    imply(fmt::format("ping-restart {}", seconds_of(draft.keepalive->timeout)));
  }
}

}  // namespace

bool is_link_local(const IpAddress& address) {
  return address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
}

Result<void> derive_config(ConfigDraft& draft) {
  if (draft.config.tunnel.device.empty()) draft.config.tunnel.device = "tun";
  if (draft.config.tls.groups.empty()) draft.config.tls.groups = draft.ecdh_curve;
  if (auto derived = draft.settle(derive_listeners(draft)); !derived) return derived;
  if (auto derived = draft.settle(derive_wrap(draft)); !derived) return derived;
  if (auto derived = draft.settle(derive_timers(draft)); !derived) return derived;
  if (auto derived = draft.settle(derive_addresses_v4(draft)); !derived) return derived;
  if (auto derived = draft.settle(derive_addresses_v6(draft)); !derived) return derived;
  derive_push(draft);
  return {};
}

Result<void> derive_wrap(ConfigDraft& draft) {
  WrapConfig& wrap = draft.config.wrap;
  wrap.auth = draft.auth.value_or(Digest::Sha1);
  if (draft.tls_auth.is_set() && draft.tls_crypt.is_set()) {
    return fail("`tls-auth` and `tls-crypt` exclude each other", draft.tls_crypt.where,
                "keep the one that the other end has");
  }
  if (!draft.auth_unknown.empty() && draft.tls_auth.is_set()) {
    return fail(fmt::format("`tls-auth` cannot use `auth {}`", draft.auth_unknown),
                draft.place_of("auth"),
                "write `auth SHA1`, SHA224, SHA256, SHA384 or SHA512, here and at the other end");
  }
  if (!draft.auth_unknown.empty()) {
    draft.config.notes.push_back(
        fmt::format("{}: `auth {}` has no effect: the data ciphers protect packets by themselves",
                    draft.place_of("auth"), draft.auth_unknown));
  }
  if (wrap.v2_age_max > Duration{0} && !wrap.v2_key.is_set()) {
    return fail("`tls-crypt-v2-max-age` has no key whose age it could limit",
                draft.place_of("tls-crypt-v2-max-age"),
                "write `tls-crypt-v2 FILE` too, or delete the line");
  }
  if (draft.tls_crypt.is_set()) {
    wrap.mode = WrapMode::TlsCrypt;
    wrap.key = draft.tls_crypt;
  } else if (draft.tls_auth.is_set()) {
    if (draft.tls_auth_direction && draft.key_direction &&
        draft.tls_auth_direction != draft.key_direction) {
      return fail("`tls-auth` and `key-direction` name different directions",
                  draft.place_of("key-direction"),
                  "delete `key-direction`; the server has 0 when clients have 1");
    }
    wrap.mode = WrapMode::TlsAuth;
    wrap.key = draft.tls_auth;
    wrap.direction = draft.tls_auth_direction ? draft.tls_auth_direction : draft.key_direction;
  }
  return {};
}

}  // namespace ringway
