#include "control/config/config_check.h"

#include <fmt/format.h>

#include <array>

#include "control/config/config_derive.h"

namespace ringway {
namespace {

Result<void> check_device(const ConfigDraft& draft) {
  const std::string& device = draft.config.tunnel.device;
  if (!draft.device_type.empty() || device.starts_with("tun")) return {};
  if (device.starts_with("tap")) {
    return fail(
        fmt::format("`dev {}` is refused: Ringway routes IP and bridges no Ethernet", device),
        draft.place_of("dev"), "write `dev tun` here and in the clients");
  }
  return fail(fmt::format("`dev {}` does not tell what kind of device it is", device),
              draft.place_of("dev"), "add `dev-type tun`, or write `dev tun`");
}

bool is_unusable(const Prefix& network) {
  const IpAddress& first = network.address;
  if (first.is_unspecified()) return true;
  if (first.is_v4()) {
    const std::uint32_t top = first.v4_value() >> 24;
    return top == 0 || top == 127 || top >= 224;
  }
  const bool is_link_local = first.bytes()[0] == 0xfe && (first.bytes()[1] & 0xc0) == 0x80;
  return first.bytes()[0] == 0xff || is_link_local;
}

Result<void> check_networks(const ConfigDraft& draft) {
  const TunnelConfig& tunnel = draft.config.tunnel;
  if (!tunnel.network_v4 && !tunnel.network_v6) {
    return fail("the network in the tunnel is missing",
                draft.place_of(draft.mode_server ? "mode" : "server"),
                "write `server 10.8.0.0 255.255.255.0`, `server-ipv6 fd00:8::/64`, or both");
  }
  if (tunnel.network_v4 && (tunnel.network_v4->length < 16 || tunnel.network_v4->length > 29)) {
    return fail(fmt::format("`server` has a network of /{}; /16 to /29 are served",
                            tunnel.network_v4->length),
                draft.place_of("server"),
                fmt::format("write a netmask from 255.255.0.0 to 255.255.255.248"));
  }
  if (tunnel.network_v6 && (tunnel.network_v6->length < 64 || tunnel.network_v6->length > 124)) {
    return fail(fmt::format("`server-ipv6` has a network of /{}; /64 to /124 are served",
                            tunnel.network_v6->length),
                draft.place_of("server-ipv6"),
                fmt::format("write for example `server-ipv6 {}/64`",
                            tunnel.network_v6->address.to_string()));
  }
  if (tunnel.network_v4 && is_unusable(*tunnel.network_v4)) {
    return fail(fmt::format("{} cannot be used for hosts", tunnel.network_v4->to_string()),
                draft.place_of("server"), "write for example `server 10.8.0.0 255.255.255.0`");
  }
  if (tunnel.network_v6 && is_unusable(*tunnel.network_v6)) {
    return fail(fmt::format("{} cannot be used for hosts", tunnel.network_v6->to_string()),
                draft.place_of("server-ipv6"), "write for example `server-ipv6 fd00:8::/64`");
  }
  if (tunnel.network_v6 && tunnel.mtu < 1280) {
    return fail(fmt::format("`tun-mtu {}` is too small: IPv6 needs 1280 (RFC 8200 5)", tunnel.mtu),
                draft.place_of("tun-mtu"), "write `tun-mtu 1280` or more");
  }
  return {};
}

/// The server's own outer address inside the tunnel would send its answers into the tunnel.
Result<void> check_local_addresses(const ConfigDraft& draft) {
  for (const LocalLine& local : draft.locals) {
    if (!local.address) continue;
    for (const auto& network : {draft.config.tunnel.network_v4, draft.config.tunnel.network_v6}) {
      if (!network || !network->contains(*local.address)) continue;
      return fail(fmt::format("`local {}` lies in the tunnel's network {}",
                              local.address->to_string(), network->to_string()),
                  local.where,
                  fmt::format("write another network in `{}`",
                              network->address.is_v4() ? "server" : "server-ipv6"));
    }
    for (const Prefix& route : draft.config.tunnel.routes) {
      if (!route.contains(*local.address)) continue;
      return fail(fmt::format("`local {}` lies in {}, which a route leads into the tunnel",
                              local.address->to_string(), route.to_string()),
                  local.where, "delete the route, or listen on another address");
    }
  }
  return {};
}

struct NamedFile {
  std::string_view option;
  const FileOrInline& file;
  /// Empty: may be missing.
  std::string_view purpose;
};

Result<void> check_files(const ConfigDraft& draft) {
  const TlsConfig& tls = draft.config.tls;
  const std::array files = {
      NamedFile{"ca", tls.ca, "the authority that signs clients"},
      NamedFile{"cert", tls.cert, "the server's certificate"},
      NamedFile{"key", tls.key, "the server's private key"},
      NamedFile{"dh", tls.dh, ""},
      NamedFile{"crl-verify", tls.crl, ""},
      NamedFile{"tls-auth", draft.tls_auth, ""},
      NamedFile{"tls-crypt", draft.tls_crypt, ""},
  };
  for (const NamedFile& named : files) {
    if (named.file.path == "[inline]") {
      return fail(fmt::format("`{}` announces an inline block, and there is none", named.option),
                  named.file.where,
                  fmt::format("add <{}>...</{}>, or write `{} FILE`", named.option, named.option,
                              named.option));
    }
    if (!named.purpose.empty() && !named.file.is_set()) {
      return fail(fmt::format("`{}` is missing: {}", named.option, named.purpose),
                  draft.config.source,
                  fmt::format("write `{} FILE`, or <{}>...</{}>", named.option, named.option,
                              named.option));
    }
  }
  return {};
}

Result<void> check_client_identity(const ConfigDraft& draft) {
  if (draft.config.tls.verify_client_cert == VerifyClientCert::Require) return {};
  return fail("without a certificate there is no way yet to tell who a client is",
              draft.place_of("verify-client-cert"),
              "write `verify-client-cert require`, and give each client a certificate");
}

void note_surprises(ConfigDraft& draft) {
  ServerConfig& config = draft.config;
  const auto size = pool_size(config.tunnel);
  // The default is above most pools, and saying so each time would say nothing.
  if (size && draft.has("max-clients") && config.clients_max > *size) {
    config.notes.push_back(
        fmt::format("{}: `max-clients {}`, and the pool has {} addresses: later clients will get "
                    "none; write a larger network, or `max-clients {}`",
                    draft.place_of("max-clients"), config.clients_max, *size, *size));
  }
  if (!config.tunnel.pool) {
    config.notes.push_back(
        fmt::format("{}: with `nopool` clients get no IPv4 address, as files for single clients "
                    "are not served yet",
                    draft.place_of("server")));
  }
  if (!config.tunnel.routes.empty()) {
    config.notes.push_back(
        "`route`: packets for networks behind clients reach no client yet, as `iroute` is not "
        "served; routes inside the tunnel's own network work");
  }
  const TimerConfig& timers = config.timers;
  if (timers.renegotiate > Duration{0} && timers.renegotiate < timers.hand_window) {
    config.notes.push_back(
        fmt::format("{}: keys are replaced more often than `hand-window` lets a handshake last",
                    draft.place_of("reneg-sec")));
  }
  if (config.wrap.mode == WrapMode::None) {
    config.notes.push_back(
        "without `tls-crypt` or `tls-auth` any stranger can start a handshake; write `tls-crypt "
        "FILE`, here and in the clients");
  }
}

}  // namespace

Result<void> check_config(ConfigDraft& draft) {
  if (auto checked = check_device(draft); !checked) return checked;
  if (auto checked = check_networks(draft); !checked) return checked;
  if (auto checked = check_local_addresses(draft); !checked) return checked;
  if (auto checked = check_files(draft); !checked) return checked;
  if (auto checked = check_client_identity(draft); !checked) return checked;
  note_surprises(draft);
  return {};
}

}  // namespace ringway
