#include "control/config/config_derive.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringway {
namespace {

std::int64_t seconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

Result<LinkFamily> family_of(const ConfigDraft& draft, const std::string& proto) {
  if (proto == "udp6") return draft.bind_ipv6_only ? LinkFamily::V6Only : LinkFamily::Both;
  if (draft.bind_ipv6_only) {
    return fail(fmt::format("`bind ipv6only` and `proto {}` contradict each other", proto),
                draft.place_of("bind"), "write `proto udp6`, or delete `bind ipv6only`");
  }
  return proto == "udp4" ? LinkFamily::V4Only : LinkFamily::Both;
}

/// Narrows the listener to the family of its address.
Result<void> fit_family_to_address(ListenConfig& listen, const LocalLine& local) {
  const IpAddress address = *local.address;
  const bool is_v4 = address.is_v4();
  const bool clashes = is_v4 ? listen.family == LinkFamily::V6Only || listen.proto_text == "udp6"
                             : listen.family == LinkFamily::V4Only;
  if (clashes) {
    return fail(fmt::format("`local {}` and `proto {}` are of different families",
                            address.to_string(), listen.proto_text),
                local.where,
                fmt::format("write `proto udp`, which follows the address, or `proto {}`",
                            is_v4 ? "udp4" : "udp6"));
  }
  if (is_v4) {
    listen.family = LinkFamily::V4Only;
  } else if (!address.is_unspecified()) {
    listen.family = LinkFamily::V6Only;
  }
  if (!address.is_unspecified()) listen.address = address;
  return {};
}

bool families_meet(LinkFamily a, LinkFamily b) {
  return a == b || a == LinkFamily::Both || b == LinkFamily::Both;
}

/// Two sockets that would both get a datagram, or of which the kernel would refuse the second. A
/// listener without an address has all of them.
bool overlap(const ListenConfig& a, const ListenConfig& b) {
  if (a.port != b.port || !families_meet(a.family, b.family)) return false;
  return a.address == b.address || !a.address || !b.address;
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
  const Result<LinkFamily> family = family_of(draft, listen.proto_text);
  if (!family) return std::unexpected(family.error());
  listen.family = *family;
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
    locals.push_back({.address = {}, .ports = {}, .proto = {}, .where = draft.place_of(option)});
  }
  for (const LocalLine& local : locals) {
    if (auto added = add_listeners(draft, local); !added) return added;
  }
  const bool is_dual = std::ranges::any_of(draft.config.listen, [](const ListenConfig& listen) {
    return listen.proto_text == "udp" && listen.family == LinkFamily::Both;
  });
  if (is_dual) {
    draft.config.notes.push_back(
        "`proto udp` serves IPv4 and IPv6, where OpenVPN serves IPv4 only; for that, write `proto "
        "udp4`");
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
  if (timers.ping_restart == Duration{0}) {
    draft.config.notes.push_back(
        "without `keepalive` nobody notices when a client or the server is gone; write `keepalive "
        "10 60`");
  }
  return {};
}

void derive_mssfix(ConfigDraft& draft) {
  TunnelConfig& tunnel = draft.config.tunnel;
  if (draft.mssfix) {
    tunnel.mssfix = *draft.mssfix;
  } else if (tunnel.mtu != 1500) {
    tunnel.mssfix = {.value = tunnel.mtu, .mode = TunnelConfig::MssFix::Mode::Fixed};
  }
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
  if (tunnel.network_v4) {
    imply(fmt::format("route-gateway {}", tunnel.network_v4->address.plus(1).to_string()));
  }
  imply("topology subnet");
  if (draft.keepalive && draft.keepalive->interval > Duration{0}) {
    imply(fmt::format("ping {}", seconds_of(draft.keepalive->interval)));
    imply(fmt::format("ping-restart {}", seconds_of(draft.keepalive->timeout)));
  }
}

}  // namespace

Result<void> derive_config(ConfigDraft& draft) {
  if (draft.config.tunnel.device.empty()) draft.config.tunnel.device = "tun";
  if (draft.config.tls.groups.empty()) draft.config.tls.groups = draft.ecdh_curve;
  if (auto derived = derive_listeners(draft); !derived) return derived;
  if (auto derived = derive_wrap(draft); !derived) return derived;
  if (auto derived = derive_timers(draft); !derived) return derived;
  derive_mssfix(draft);
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

std::optional<std::uint64_t> pool_size(const TunnelConfig& tunnel) {
  constexpr std::uint64_t kV6SizeMax = 65536;
  std::optional<std::uint64_t> size;
  if (tunnel.network_v4 && tunnel.pool) {
    // Without the network's, the server's and the broadcast address.
    size = (std::uint64_t{1} << (32 - tunnel.network_v4->length)) - 3;
  }
  if (tunnel.network_v6) {
    const unsigned host_bits = 128u - tunnel.network_v6->length;
    // Networks of more than 16 host bits start their pool at ::1000, smaller ones at ::2.
    const std::uint64_t v6_size = host_bits > 16 ? kV6SizeMax : (std::uint64_t{1} << host_bits) - 2;
    size = std::min(size.value_or(v6_size), v6_size);
  }
  return size;
}

}  // namespace ringway
