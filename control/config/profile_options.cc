#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// What works in a client's profile.
namespace ringway {
namespace {

constexpr std::uint64_t kAttemptsMax = 1'000'000;

/// An option that says the same in a server's configuration, with the words for a client.
OptionRow as_on_servers(std::string_view name, std::string_view text) {
  const OptionRow* row = find_option(name, ConfigKind::Server);
  RW_ASSERT(row != nullptr && row->status == OptionStatus::Works);
  OptionRow shared = *row;
  if (!text.empty()) shared.text = text;
  return shared;
}

Result<LinkFamily> family_at(const ConfigLine& line, std::size_t index) {
  const std::string& proto = line.parameter(index);
  if (proto == "udp") return LinkFamily::Both;
  if (proto == "udp4") return LinkFamily::V4Only;
  if (proto == "udp6") return LinkFamily::V6Only;
  if (proto.starts_with("tcp")) {
    return refused_value(line, "is refused: TCP is not served yet",
                         "write `proto udp` here and at the server");
  }
  return bad_value(line, index, "udp (IPv4 or IPv6), udp4 or udp6");
}

Result<std::uint16_t> port_at(const ConfigLine& line, std::size_t index) {
  const auto port = number_at(line, index, {1, 65535});
  if (!port) return std::unexpected(port.error());
  return static_cast<std::uint16_t>(*port);
}

Result<void> apply_remote(ConfigDraft& draft, const ConfigLine& line) {
  RemoteConfig remote{.host = line.parameter(1), .port = 0, .where = line.where};
  if (remote.host.empty()) return bad_value(line, 1, "the server's name or address");
  if (line.parameter_count() >= 2) {
    const auto port = port_at(line, 2);
    if (!port) return std::unexpected(port.error());
    remote.port = *port;
  }
  if (line.parameter_count() >= 3) {
    const auto family = family_at(line, 3);
    if (!family) return std::unexpected(family.error());
    remote.family = *family;
  }
  // The command line wins over the file.
  if (line.from_command_line) draft.profile.remotes.clear();
  draft.profile.remotes.push_back(std::move(remote));
  return {};
}

Result<void> apply_proto(ConfigDraft& draft, const ConfigLine& line) {
  const auto family = family_at(line, 1);
  if (!family) return std::unexpected(family.error());
  draft.profile.family = *family;
  return {};
}

Result<void> apply_port(ConfigDraft& draft, const ConfigLine& line) {
  const auto port = port_at(line, 1);
  if (!port) return std::unexpected(port.error());
  draft.profile.port = *port;
  return {};
}

/// What a client always does.
Result<void> apply_nothing(ConfigDraft&, const ConfigLine&) { return {}; }

Result<void> apply_remote_cert_tls(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) != "server") return bad_value(line, 1, "server");
  draft.config.tls.remote_cert_tls = true;
  return {};
}

Result<void> apply_verify_x509_name(ConfigDraft& draft, const ConfigLine& line) {
  TlsConfig& tls = draft.config.tls;
  if (line.parameter(1).empty()) return bad_value(line, 1, "the server's name");
  const std::string type = line.parameter_count() == 2 ? line.parameter(2) : "subject";
  if (type == "subject") {
    tls.peer_name_match = PeerNameMatch::Subject;
  } else if (type == "name") {
    tls.peer_name_match = PeerNameMatch::CommonName;
  } else if (type == "name-prefix") {
    tls.peer_name_match = PeerNameMatch::CommonNamePrefix;
  } else {
    return bad_value(line, 2, "subject, name or name-prefix");
  }
  tls.peer_name = line.parameter(1);
  return {};
}

Result<void> apply_auth_user_pass(ConfigDraft& draft, const ConfigLine& line) {
  if (!line.inline_text && line.parameter_count() == 0) {
    return refused_value(line, "would ask on the terminal, which is not served yet",
                         "write `auth-user-pass FILE`; the file's two lines are name and password");
  }
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  if (file->path == "[inline]" && draft.profile.auth_user_pass.is_inline) return {};
  draft.profile.auth_user_pass = std::move(*file);
  return {};
}

Result<void> apply_dev_type(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) == "tap") {
    return refused_value(line, "is refused: Ringway routes IP and bridges no Ethernet",
                         "write `dev-type tun` here and at the server");
  }
  if (line.parameter(1) != "tun") return bad_value(line, 1, "tun");
  draft.device_type = line.parameter(1);
  return {};
}

/// A server's `route`, but for those that would be `redirect-gateway` by another name.
Result<void> apply_route(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& destination = line.parameter(1);
  if (destination == "0.0.0.0" || destination == "::/0") {
    return refused_value(line, "would lead all traffic into the tunnel, which is not served yet",
                         "write `route` lines for the networks that the tunnel should carry");
  }
  return find_option(line.name(), ConfigKind::Server)->apply(draft, line);
}

Result<void> apply_compress(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 0 || line.parameter(1) != "stub-v2") {
    return refused_value(
        line,
        "is refused: it changes the format of every packet, and compression leaks what is "
        "encrypted",
        "delete the line here and at the server");
  }
  return find_option(line.name(), ConfigKind::Server)->apply(draft, line);
}

Result<void> apply_topology(ConfigDraft&, const ConfigLine& line) {
  const std::string& topology = line.parameter(1);
  if (topology == "subnet" || topology == "net30" || topology == "p2p") return {};
  return bad_value(line, 1, "subnet, net30 or p2p");
}

Result<void> apply_route_metric(ConfigDraft& draft, const ConfigLine& line) {
  const auto metric = number_at(line, 1, {0, UINT32_MAX});
  if (!metric) return std::unexpected(metric.error());
  draft.profile.route_metric = static_cast<std::uint32_t>(*metric);
  return {};
}

Result<void> apply_route_nopull(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.route_nopull = true;
  return {};
}

Result<void> apply_pull_filter(ConfigDraft& draft, const ConfigLine& line) {
  PullFilter filter{.prefix = line.parameter(2)};
  const std::string& action = line.parameter(1);
  if (action == "accept") {
    filter.action = PullFilter::Action::Accept;
  } else if (action == "ignore") {
    filter.action = PullFilter::Action::Ignore;
  } else if (action == "reject") {
    filter.action = PullFilter::Action::Reject;
  } else {
    return bad_value(line, 1, "accept, ignore or reject");
  }
  draft.profile.pull_filters.push_back(std::move(filter));
  return {};
}

Result<void> apply_persist_tun(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.persist_tun = true;
  return {};
}

Result<void> apply_exit_notify(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 0) return {};
  const auto count = number_at(line, 1, {1, 5});
  if (!count) return std::unexpected(count.error());
  draft.profile.exit_notify = static_cast<unsigned>(*count);
  return {};
}

Result<void> apply_connect_retry(ConfigDraft& draft, const ConfigLine& line) {
  const auto wait = seconds_at(line, 1, {1, kSecondsMax});
  if (!wait) return std::unexpected(wait.error());
  draft.profile.retry.wait = *wait;
  if (line.parameter_count() == 2) {
    const auto wait_max = seconds_at(line, 2, {1, kSecondsMax});
    if (!wait_max) return std::unexpected(wait_max.error());
    draft.profile.retry.wait_max = *wait_max;
  }
  draft.profile.retry.wait_max = std::max(draft.profile.retry.wait_max, draft.profile.retry.wait);
  return {};
}

Result<void> apply_connect_retry_max(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {1, kAttemptsMax});
  if (!count) return std::unexpected(count.error());
  draft.profile.retry.attempts_max = static_cast<std::uint32_t>(*count);
  return {};
}

Result<void> apply_connect_timeout(ConfigDraft& draft, const ConfigLine& line) {
  const auto seconds = seconds_at(line, 1, {2, kSecondsMax});
  if (!seconds) return std::unexpected(seconds.error());
  draft.config.timers.hand_window = *seconds;
  return {};
}

}  // namespace

std::span<const OptionRow> profile_link_options() {
  static const std::array kRows = {
      works("client", "", {0, 0}, apply_nothing, "What a profile always means."),
      works("tls-client", "", {0, 0}, apply_nothing, "What a profile always means."),
      works("pull", "", {0, 0}, apply_nothing, "What a profile always means."),
      works("remote", "HOST [PORT [udp|udp4|udp6]]", {1, 3}, apply_remote,
            "The server: its name or address. Of a name's addresses the first is tried, and the "
            "next one at each attempt. A second `remote` is not served yet."),
      works("proto", "udp|udp4|udp6", {1, 1}, apply_proto,
            "`udp` is IPv4 or IPv6, as the server's address is; `udp4` and `udp6` are one of them. "
            "The tcp forms are refused: TCP is not served yet."),
      works("port", "N", {1, 1}, apply_port, "The server's port where `remote` names none."),
      works("rport", "N", {1, 1}, apply_port, "The same."),
      works("nobind", "", {0, 0}, apply_nothing, "What always holds: the kernel picks our port."),
      as_on_servers("sndbuf", "Send buffer of the socket; 0 leaves the choice to Ringway."),
      as_on_servers("rcvbuf", "Receive buffer of the socket; 0 leaves the choice to Ringway."),
  };
  return kRows;
}

std::span<const OptionRow> profile_tls_options() {
  static const std::array kRows = {
      as_on_servers("ca", "Authorities that sign the server, PEM."),
      as_on_servers("cert", "The client's certificate, followed by the intermediate ones, PEM."),
      as_on_servers("key", ""),
      as_on_servers("crl-verify", ""),
      works_inline("auth-user-pass", "FILE", {0, 1}, apply_auth_user_pass,
                   "Name and password for the server: the first two lines of the file."),
      works("remote-cert-tls", "server", {1, 1}, apply_remote_cert_tls,
            "The server's certificate must carry a key usage and a server's extended key usage."),
      works("verify-x509-name", "NAME [subject|name|name-prefix]", {1, 2}, apply_verify_x509_name,
            "The server's certificate must have this subject (`C=.., CN=..`), this common name, or "
            "a common name that begins so."),
      as_on_servers("tls-version-min", ""),
      as_on_servers("tls-version-max", ""),
      as_on_servers("tls-groups", ""),
      as_on_servers("ecdh-curve", ""),
      as_on_servers("tls-cipher", ""),
      as_on_servers("tls-ciphersuites", ""),
      as_on_servers("tls-cert-profile", ""),
      as_on_servers("tls-auth", ""),
      as_on_servers("key-direction",
                    "Which half of the `tls-auth` key sends: 1 when the server has 0."),
      as_on_servers("tls-crypt", ""),
      as_on_servers("auth", ""),
      as_on_servers("data-ciphers",
                    "Ciphers to offer, the best first, separated by `:`: AES-256-GCM, AES-128-GCM, "
                    "CHACHA20-POLY1305, or `DEFAULT` for these three. A name after `?` may be "
                    "unknown."),
      as_on_servers("ncp-ciphers", ""),
      as_on_servers("cipher", ""),
      as_on_servers("data-ciphers-fallback", ""),
      works("compress", "stub-v2", {0, 1}, apply_compress,
            "Only `stub-v2`, which changes nothing for IP packets; all else is refused."),
  };
  return kRows;
}

std::span<const OptionRow> profile_tunnel_options() {
  static const std::array kRows = {
      as_on_servers("dev", ""),
      works("dev-type", "tun", {1, 1}, apply_dev_type, "For a device whose name does not tell."),
      as_on_servers("dev-node", ""),
      works("topology", "subnet|net30|p2p", {1, 1}, apply_topology,
            "Accepted; what the server pushes counts."),
      as_on_servers("tun-mtu",
                    "MTU of the TUN device, 576 to 9000; what the server pushes wins; 1500 by "
                    "default."),
      as_on_servers("mssfix", ""),
      as_on_servers("txqueuelen", ""),
      works("route", "NETWORK [NETMASK [GATEWAY [METRIC]]]", {1, 4}, apply_route,
            "A route into the tunnel, besides those that the server pushes. "
            "Gateway and metric have no effect."),
      works("route-ipv6", "NETWORK/BITS [GATEWAY [METRIC]]", {1, 3}, apply_route,
            "The same for IPv6."),
      works("route-metric", "N", {1, 1}, apply_route_metric,
            "Metric of the routes that name none; the kernel's by default."),
      works("route-nopull", "", {0, 0}, apply_route_nopull,
            "Pushed routes and DNS settings are left aside."),
      works("pull-filter", "accept|ignore|reject TEXT", {2, 2}, apply_pull_filter,
            "What becomes of pushed options that begin with TEXT; the first such line counts, and "
            "`reject` ends the connection."),
      works("persist-tun", "", {0, 0}, apply_persist_tun,
            "Keeps the device while the client connects anew, if the server pushes the same "
            "again."),
  };
  return kRows;
}

std::span<const OptionRow> profile_timer_options() {
  static const std::array kRows = {
      as_on_servers("keepalive",
                    "Pings every INTERVAL seconds, and connects anew after TIMEOUT seconds of "
                    "silence; what the server pushes wins."),
      as_on_servers("ping", "The first half of `keepalive`; 0 is off."),
      as_on_servers("ping-restart", "The second half of `keepalive`; 120 by default, 0 is never."),
      as_on_servers("reneg-sec",
                    "Age at which keys are replaced; 3600 by default; 0 leaves it to the server."),
      as_on_servers("hand-window", ""),
      as_on_servers("tran-window", ""),
      as_on_servers("tls-timeout", ""),
      works("connect-timeout", "SECONDS", {1, 1}, apply_connect_timeout,
            "The same as `hand-window`: an attempt that has not succeeded by then is given up."),
      works("server-poll-timeout", "SECONDS", {1, 1}, apply_connect_timeout, "The same."),
      works("connect-retry", "SECONDS [MAX]", {1, 2}, apply_connect_retry,
            "Wait before the next attempt; it doubles with each up to MAX. 1 and 300 by default."),
      works("connect-retry-max", "N", {1, 1}, apply_connect_retry_max,
            "Gives up after so many failed attempts in a row; never by default."),
      works("explicit-exit-notify", "[N]", {0, 1}, apply_exit_notify,
            "How often the server is told that we leave; once by default. A server that takes the "
            "goodbye on the control channel is told there, reliably."),
  };
  return kRows;
}

std::span<const OptionRow> profile_process_options() {
  static const std::array kRows = {
      as_on_servers("log", ""),
      as_on_servers("log-append", ""),
      as_on_servers("verb", ""),
      as_on_servers("writepid", ""),
      as_on_servers("cd", ""),
      as_on_servers("config", ""),
      as_on_servers("ignore-unknown-option", ""),
      as_on_servers("setenv", ""),
      as_on_servers("aead-engine", ""),
      as_on_servers("no-gso", ""),
      as_on_servers("no-gro", ""),
      as_on_servers("no-tso", ""),
      as_on_servers("no-uso", ""),
      as_on_servers("kernel-profile", ""),
  };
  return kRows;
}

}  // namespace ringway
