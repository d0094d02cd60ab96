#include "control/config/config_check.h"

#include <fmt/format.h>

#include <array>

#include "control/config/config_derive.h"
#include "control/config/tunnel_addresses.h"

namespace ringway {
namespace {

constexpr std::uint8_t kV4LengthMin = 8;
constexpr std::uint8_t kV4LengthMax = 29;
constexpr std::uint8_t kV6LengthMin = 64;
constexpr std::uint8_t kV6LengthMax = 124;

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
  return first.bytes()[0] == 0xff || is_link_local(first);
}

Result<void> check_network_v4(const ConfigDraft& draft, const Prefix& network) {
  const bool is_own = draft.ifconfig.has_value();
  const std::string_view option = is_own ? "ifconfig" : "server";
  const std::string example =
      is_own ? "`ifconfig 10.8.0.1 255.255.255.0`" : "`server 10.8.0.0 255.255.255.0`";
  if (network.length < kV4LengthMin || network.length > kV4LengthMax) {
    return fail(fmt::format("`{}` has a network of /{}; /{} to /{} are served", option,
                            network.length, kV4LengthMin, kV4LengthMax),
                draft.place_of(option), "write a netmask from 255.0.0.0 to 255.255.255.248");
  }
  if (is_unusable(network)) {
    return fail(fmt::format("{} cannot be used for hosts", network.to_string()),
                draft.place_of(option), fmt::format("write for example {}", example));
  }
  return {};
}

Result<void> check_network_v6(const ConfigDraft& draft, const Prefix& network) {
  const bool is_own = draft.ifconfig_ipv6.has_value();
  const std::string_view option = is_own ? "ifconfig-ipv6" : "server-ipv6";
  if (network.length < kV6LengthMin || network.length > kV6LengthMax) {
    const IpAddress& address = is_own ? draft.ifconfig_ipv6->address : network.address;
    return fail(fmt::format("`{}` has a network of /{}; /{} to /{} are served", option,
                            network.length, kV6LengthMin, kV6LengthMax),
                draft.place_of(option),
                fmt::format("write for example `{} {}/64`", option, address.to_string()));
  }
  if (is_unusable(network)) {
    return fail(fmt::format("{} cannot be used for hosts", network.to_string()),
                draft.place_of(option),
                fmt::format("write for example `{}`",
                            is_own ? "ifconfig-ipv6 fd00:8::1/64" : "server-ipv6 fd00:8::/64"));
  }
  if (draft.config.tunnel.mtu < 1280) {
    return fail(fmt::format("`tun-mtu {}` is too small: IPv6 needs 1280 (RFC 8200 5)",
                            draft.config.tunnel.mtu),
                draft.place_of("tun-mtu"), "write `tun-mtu 1280` or more");
  }
  return {};
}

/// `ifconfig` may name what is no host.
Result<void> check_own_address(const ConfigDraft& draft) {
  const TunnelConfig& tunnel = draft.config.tunnel;
  for (const auto& network : {tunnel.network_v4, tunnel.network_v6}) {
    if (!network) continue;
    const bool is_v4 = network->address.is_v4();
    const auto own = is_v4 ? tunnel.address_v4 : tunnel.address_v6;
    const bool is_host = own != network->address && (!is_v4 || own != last_address(*network));
    if (is_host) continue;
    const std::string_view option = is_v4 ? "ifconfig" : "ifconfig-ipv6";
    const std::string first = network->address.plus(1).to_string();
    return fail(
        fmt::format("`{} {}` is no host of {}", option, own->to_string(), network->to_string()),
        draft.place_of(option),
        is_v4 ? fmt::format("write `ifconfig {} {}`", first, network->netmask_text())
              : fmt::format("write `ifconfig-ipv6 {}/{}`", first, network->length));
  }
  return {};
}

Result<void> check_networks(const ConfigDraft& draft) {
  const TunnelConfig& tunnel = draft.config.tunnel;
  if (!tunnel.network_v4 && !tunnel.network_v6) {
    return fail("the network in the tunnel is missing",
                draft.place_of(draft.mode_server ? "mode" : "server"),
                "write `server 10.8.0.0 255.255.255.0`, `server-ipv6 fd00:8::/64`, or both");
  }
  if (tunnel.network_v4) {
    if (auto checked = check_network_v4(draft, *tunnel.network_v4); !checked) return checked;
  }
  if (tunnel.network_v6) {
    if (auto checked = check_network_v6(draft, *tunnel.network_v6); !checked) return checked;
  }
  return check_own_address(draft);
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

Result<void> check_file(const NamedFile& named, const std::string& source) {
  if (named.file.path == "[inline]") {
    return fail(fmt::format("`{}` announces an inline block, and there is none", named.option),
                named.file.where,
                fmt::format("add <{}>...</{}>, or write `{} FILE`", named.option, named.option,
                            named.option));
  }
  if (!named.purpose.empty() && !named.file.is_set()) {
    return fail(
        fmt::format("`{}` is missing: {}", named.option, named.purpose), source,
        fmt::format("write `{} FILE`, or <{}>...</{}>", named.option, named.option, named.option));
  }
  return {};
}

Result<void> check_files(ConfigDraft& draft) {
  const TlsConfig& tls = draft.config.tls;
  const bool needs_ca = tls.rules.fingerprints.empty() && !tls.ca_directory.is_set();
  const std::array files = {
      NamedFile{"ca", tls.ca, needs_ca ? "the authority that signs clients" : ""},
      NamedFile{"cert", tls.cert, "the server's certificate"},
      NamedFile{"key", tls.key, "the server's private key"},
      NamedFile{"extra-certs", tls.extra_certs, ""},
      NamedFile{"dh", tls.dh, ""},
      NamedFile{"crl-verify", tls.crl, ""},
      NamedFile{"tls-auth", draft.tls_auth, ""},
      NamedFile{"tls-crypt", draft.tls_crypt, ""},
      NamedFile{"tls-crypt-v2", draft.config.wrap.v2_key, ""},
      NamedFile{"auth-gen-token-secret", draft.config.tokens.secret, ""},
  };
  for (const NamedFile& named : files) {
    // A line that has a fault of its own has been told of.
    if (draft.collects && !named.file.is_set() && draft.has(named.option)) continue;
    if (auto checked = draft.settle(check_file(named, draft.config.source)); !checked) {
      return checked;
    }
  }
  return {};
}

Result<void> check_client_files(const ConfigDraft& draft) {
  if (!draft.config.client_config_exclusive) return {};
  if (!draft.config.client_config_directory.empty()) return {};
  return fail("`ccd-exclusive` refuses everybody without a directory of clients",
              draft.place_of("ccd-exclusive"), "write `client-config-dir DIR` too");
}

Result<void> check_client_identity(const ConfigDraft& draft) {
  const ProgramConfig& programs = draft.config.programs;
  if (programs.password.is_set()) return {};
  if (draft.config.tls.verify_client_cert != VerifyClientCert::Require) {
    return fail("without a certificate or a password nothing tells who a client is",
                draft.place_of("verify-client-cert"),
                "write `verify-client-cert require`, or `auth-user-pass-verify PROGRAM via-file`");
  }
  for (const char* option : {"username-as-common-name", "auth-user-pass-optional"}) {
    if (!draft.has(option)) continue;
    return fail(fmt::format("`{}` means nothing where no passwords are checked", option),
                draft.place_of(option),
                "delete the line, or write `auth-user-pass-verify PROGRAM via-file`");
  }
  return {};
}

Result<void> check_programs(const ConfigDraft& draft) {
  constexpr int kPrograms = 2;
  constexpr int kPasswordsInEnvironment = 3;
  const ProgramConfig& programs = draft.config.programs;
  if (programs.client_key.is_set() && !draft.config.wrap.v2_key.is_set()) {
    return fail("`tls-crypt-v2-verify` has no keys that it could judge", programs.client_key.where,
                "write `tls-crypt-v2 FILE` too, or delete the line");
  }
  for (const ProgramLine* program :
       {&programs.client_key, &programs.certificate, &programs.password, &programs.connect,
        &programs.disconnect, &programs.learn, &programs.challenge, &programs.up,
        &programs.route_up, &programs.down}) {
    if (!program->is_set() || programs.security >= kPrograms) continue;
    return fail(fmt::format("`script-security` does not allow {} to be run", program->words[0]),
                program->where, "write `script-security 2`");
  }
  if (programs.password.is_set() && !programs.password_by_file &&
      programs.security < kPasswordsInEnvironment) {
    return fail("`script-security` does not allow passwords in the environment",
                programs.password.where, "write `script-security 3`, or via-file");
  }
  return {};
}

Result<void> check_tokens(const ConfigDraft& draft) {
  const TokenConfig& tokens = draft.config.tokens;
  if (!tokens.enabled) {
    if (!tokens.secret.is_set()) return {};
    return fail("`auth-gen-token-secret` is the key of tokens that nobody makes",
                draft.place_of("auth-gen-token-secret"),
                "add `auth-gen-token`, or delete the line");
  }
  if (!draft.config.programs.password.is_set()) {
    return fail("`auth-gen-token` has no password whose place a token could take",
                draft.place_of("auth-gen-token"),
                "write `auth-user-pass-verify`, or delete the line");
  }
  const Duration least = 2 * draft.config.timers.hand_window;
  if (tokens.renewal >= least) return {};
  return fail(fmt::format("tokens are renewed every {} seconds, and a handshake may take {}",
                          tokens.renewal / 1s, draft.config.timers.hand_window / 1s),
              draft.place_of("auth-gen-token"),
              fmt::format("write `auth-gen-token {} {}`, or a longer `reneg-sec`",
                          tokens.lifetime / 1s, least / 1s));
}

/// Without authorities nobody's signature would be under the list.
Result<void> check_revocation_list(const ConfigDraft& draft) {
  const TlsConfig& tls = draft.config.tls;
  if (tls.ca.is_set() || tls.ca_directory.is_set() || tls.rules.fingerprints.empty()) return {};
  if (!tls.crl.is_set() || tls.crl_is_directory) return {};
  return fail("`crl-verify FILE` revokes nothing where `peer-fingerprint` decides without `ca`",
              draft.place_of("crl-verify"),
              "delete the line, and take the fingerprints of the revoked out of the list");
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
  const bool has_own_lines =
      !config.client_config_directory.empty() || config.programs.connect.is_set();
  if (config.tunnel.network_v4 && !config.tunnel.pool_v4 && !has_own_lines) {
    config.notes.push_back(fmt::format(
        "{}: without a pool clients get no IPv4 address; write `client-config-dir DIR`, "
        "and `ifconfig-push` into each client's file",
        draft.place_of(draft.ifconfig ? "ifconfig" : "server")));
  }
  if (!config.tunnel.routes.empty() && !has_own_lines) {
    config.notes.push_back(
        "`route`: packets for networks behind clients reach no client without `client-config-dir "
        "DIR`, and `iroute` in the client's file");
  }
  const TimerConfig& timers = config.timers;
  if (timers.renegotiate > Duration{0} && timers.renegotiate < timers.hand_window) {
    config.notes.push_back(
        fmt::format("{}: keys are replaced more often than `hand-window` lets a handshake last",
                    draft.place_of("reneg-sec")));
  }
  if (config.wrap.mode == WrapMode::None && !config.wrap.v2_key.is_set()) {
    config.notes.push_back(
        "without `tls-crypt` or `tls-auth` any stranger can start a handshake; write `tls-crypt "
        "FILE`, here and in the clients");
  }
}

}  // namespace

Result<void> check_config(ConfigDraft& draft) {
  if (auto checked = draft.settle(check_device(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_networks(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_local_addresses(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_files(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_revocation_list(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_client_identity(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_client_files(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_programs(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_tokens(draft)); !checked) return checked;
  note_surprises(draft);
  return {};
}

}  // namespace ringway
