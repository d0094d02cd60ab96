#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// Which servers a client's profile names, how their addresses are reached, and what happens when
/// none can be.
namespace ringway {
namespace {

constexpr std::uint64_t kAttemptsMax = 1'000'000;

Result<LinkProtocol> protocol_at(const ConfigLine& line, std::size_t index) {
  std::string_view proto = line.parameter(index);
  const bool is_tcp = proto.starts_with("tcp");
  if (is_tcp && proto.ends_with("-client")) proto.remove_suffix(7);
  if (proto == "udp" || proto == "tcp") return LinkProtocol{LinkFamily::Both, is_tcp};
  if (proto == "udp4" || proto == "tcp4") return LinkProtocol{LinkFamily::V4Only, is_tcp};
  if (proto == "udp6" || proto == "tcp6") return LinkProtocol{LinkFamily::V6Only, is_tcp};
  if (is_tcp && proto.ends_with("-server")) {
    return refused_value(line, "is a server's", "write `proto tcp`");
  }
  return bad_value(line, index, "udp or tcp (IPv4 and IPv6), udp4, udp6, tcp4 or tcp6");
}

Result<std::uint16_t> port_at(const ConfigLine& line, std::size_t index, std::uint64_t min = 1) {
  const auto port = number_at(line, index, {min, 65535});
  if (!port) return std::unexpected(port.error());
  return static_cast<std::uint16_t>(*port);
}

Result<void> apply_remote(ConfigDraft& draft, const ConfigLine& line) {
  ProfileDraft& profile = draft.profile;
  RemoteDraft remote{.host = line.parameter(1), .where = line.where};
  if (remote.host.empty()) return bad_value(line, 1, "the server's name or address");
  if (line.parameter_count() >= 2) {
    const auto port = port_at(line, 2);
    if (!port) return std::unexpected(port.error());
    remote.port = *port;
  }
  if (line.parameter_count() >= 3) {
    const auto protocol = protocol_at(line, 3);
    if (!protocol) return std::unexpected(protocol.error());
    remote.protocol = *protocol;
  }
  // The command line wins over the file.
  if (line.from_command_line && !std::exchange(profile.remotes_from_command_line, true)) {
    profile.remotes.clear();
  }
  if (profile.remotes.size() == kRemotesMax) {
    return refused_value(line, fmt::format("is one too many: {} are allowed", kRemotesMax),
                         "write one name that has the addresses of several servers");
  }
  profile.remotes.push_back(std::move(remote));
  return {};
}

Result<void> apply_proto(ConfigDraft& draft, const ConfigLine& line) {
  const auto protocol = protocol_at(line, 1);
  if (!protocol) return std::unexpected(protocol.error());
  draft.profile.connection.protocol = *protocol;
  return {};
}

Result<void> apply_port(ConfigDraft& draft, const ConfigLine& line) {
  const auto port = port_at(line, 1);
  if (!port) return std::unexpected(port.error());
  draft.profile.connection.port = *port;
  return {};
}

Result<void> apply_lport(ConfigDraft& draft, const ConfigLine& line) {
  const auto port = port_at(line, 1, 0);
  if (!port) return std::unexpected(port.error());
  draft.profile.connection.local_port = *port;
  return {};
}

Result<void> apply_local(ConfigDraft& draft, const ConfigLine& line) {
  const auto address = IpAddress::parse(line.parameter(1));
  if (!address) return bad_value(line, 1, "an address of this host");
  draft.profile.connection.local = *address;
  return {};
}

Result<void> apply_bind(ConfigDraft& draft, const ConfigLine& line) {
  draft.profile.connection.bind = line.name() == "bind";
  return {};
}

Result<void> apply_float(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.connection.floats = true;
  return {};
}

Result<void> apply_exit_notify(ConfigDraft& draft, const ConfigLine& line) {
  draft.profile.connection.exit_notify = 1;
  if (line.parameter_count() == 0) return {};
  const auto count = number_at(line, 1, {1, 5});
  if (!count) return std::unexpected(count.error());
  draft.profile.connection.exit_notify = static_cast<unsigned>(*count);
  return {};
}

Result<void> apply_connect_timeout(ConfigDraft& draft, const ConfigLine& line) {
  const auto seconds = seconds_at(line, 1, {1, kSecondsMax});
  if (!seconds) return std::unexpected(seconds.error());
  draft.profile.connection.connect_timeout = *seconds;
  return {};
}

/// What a <connection> block may say; the profile may say it for all servers, too.
bool belongs_to_one_server(std::string_view name) {
  constexpr std::array<std::string_view, 11> kNames = {"remote",
                                                       "proto",
                                                       "port",
                                                       "rport",
                                                       "lport",
                                                       "local",
                                                       "bind",
                                                       "nobind",
                                                       "float",
                                                       "connect-timeout",
                                                       "explicit-exit-notify"};
  return name == "server-poll-timeout" || std::ranges::find(kNames, name) != kNames.end();
}

Result<void> apply_block_line(ConfigDraft& draft, const ConfigLine& line) {
  if (!belongs_to_one_server(line.name())) {
    return fail(fmt::format("`{}` in a <connection> block is not served", line.name()), line.where,
                "write it outside of the blocks, where it holds for all servers");
  }
  const OptionRow& row = *find_option(line.name(), ConfigKind::Client);
  const std::size_t count = line.parameter_count();
  if (line.inline_text || count < row.parameters.min || count > row.parameters.max) {
    return fail(fmt::format("`{}` has the wrong number of parameters", row.name), line.where,
                fmt::format("write `{} {}`", row.name, row.usage));
  }
  return row.apply(draft, line);
}

Result<void> apply_connection(ConfigDraft& draft, const ConfigLine& line) {
  ProfileDraft& profile = draft.profile;
  if (!line.inline_text) {
    return refused_value(line, "is no block",
                         "write <connection>, the lines of one server, and </connection>");
  }
  const auto lines =
      lex_config(*line.inline_text, fmt::format("{}, line of the block", line.where));
  if (!lines) return std::unexpected(lines.error());
  const std::size_t before = profile.remotes.size();
  const ConnectionDraft of_all = std::exchange(profile.connection, {});
  for (const ConfigLine& inside : *lines) {
    if (auto applied = apply_block_line(draft, inside); !applied) return applied;
  }
  const ConnectionDraft of_block = std::exchange(profile.connection, of_all);
  if (profile.remotes.size() != before + 1) {
    return fail("a <connection> block names one server", line.where,
                "write one `remote HOST [PORT]` line in each block");
  }
  profile.remotes.back().block = of_block;
  return {};
}

Result<void> apply_remote_random(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.remote_random = true;
  return {};
}

Result<void> apply_remote_random_hostname(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.remote_random_hostname = true;
  return {};
}

Result<void> apply_connect_retry(ConfigDraft& draft, const ConfigLine& line) {
  RetryConfig& retry = draft.profile.retry;
  const auto wait = seconds_at(line, 1, {1, kSecondsMax});
  if (!wait) return std::unexpected(wait.error());
  retry.wait = *wait;
  if (line.parameter_count() == 2) {
    const auto wait_max = seconds_at(line, 2, {1, kSecondsMax});
    if (!wait_max) return std::unexpected(wait_max.error());
    retry.wait_max = *wait_max;
  }
  retry.wait_max = std::max(retry.wait_max, retry.wait);
  return {};
}

Result<void> apply_connect_retry_max(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {1, kAttemptsMax});
  if (!count) return std::unexpected(count.error());
  draft.profile.retry.attempts_max = static_cast<std::uint32_t>(*count);
  return {};
}

Result<void> apply_resolv_retry(ConfigDraft& draft, const ConfigLine& line) {
  draft.profile.retry.resolve_for.reset();
  if (line.parameter(1) == "infinite") return {};
  const auto seconds = seconds_at(line, 1, {0, kSecondsMax});
  if (!seconds) return bad_value(line, 1, "infinite, or a number of seconds");
  draft.profile.retry.resolve_for = *seconds;
  return {};
}

/// What a client always does.
Result<void> apply_nothing(ConfigDraft&, const ConfigLine&) { return {}; }

}  // namespace

std::span<const OptionRow> profile_link_options() {
  static const std::array kRows = {
      works("client", "", {0, 0}, apply_nothing, "What a profile always means."),
      works("tls-client", "", {0, 0}, apply_nothing, "What a profile always means."),
      works("pull", "", {0, 0}, apply_nothing, "What a profile always means."),
      works("remote", "HOST [PORT [PROTO]]", {1, 3}, apply_remote,
            "A server: its name or address. Several are tried in order, 64 at most: the next one 3 "
            "seconds after the last address of the one before, or at once when all of these are "
            "refused; the earlier ones may still answer."),
      works("proto", "udp|udp4|udp6|tcp|tcp4|tcp6", {1, 1}, apply_proto,
            "`udp` tries all addresses of the name, IPv6 first and the next one 250 ms later, and "
            "takes the one that answers first; `udp4` and `udp6` are one family alone. `tcp`, "
            "`tcp4` and `tcp6` the same over TCP, also spelled `tcp-client` and so on."),
      works("port", "N", {1, 1}, apply_port, "The server's port where `remote` names none."),
      works("rport", "N", {1, 1}, apply_port, "The same."),
      works(
          "connection", "", {0, 1}, apply_connection,
          "A block of lines for one server: its `remote`, and `proto`, `port`, `rport`, `lport`, "
          "`local`, `bind`, `nobind`, `float`, `connect-timeout` and `explicit-exit-notify` where "
          "they differ from the profile's."),
      works("remote-random", "", {0, 0}, apply_remote_random,
            "Shuffles the servers, once, at start."),
      works("remote-random-hostname", "", {0, 0}, apply_remote_random_hostname,
            "Asks for a name with a random label in front, so that no cache answers."),
      works("local", "ADDRESS", {1, 1}, apply_local,
            "Our own address towards the server; only its family is tried."),
      works("lport", "N", {1, 1}, apply_lport,
            "Our own port; 0 and no line at all leave it to the kernel."),
      works("bind", "", {0, 0}, apply_bind,
            "Our own port is that of `lport`, or else of `port`, as it always is with OpenVPN "
            "unless `nobind` is there."),
      works("nobind", "", {0, 0}, apply_bind, "The kernel picks our address and port."),
      works("float", "", {0, 0}, apply_float,
            "The server may answer from another address, once it has proven to be the same."),
      as_on_servers("sndbuf", "Send buffer of the socket; 0 leaves the choice to Ringway."),
      as_on_servers("rcvbuf", "Receive buffer of the socket; 0 leaves the choice to Ringway."),
      as_on_servers("passtos", ""),
      as_on_servers("bind-dev",
                    "Reaches the server by this interface, or in this VRF, alone: "
                    "SO_BINDTODEVICE on the socket."),
      as_on_servers("mark", ""),
  };
  static const std::array kBlocks = [] {
    auto rows = kRows;
    std::ranges::find(rows, "connection", &OptionRow::name)->may_be_inline = true;
    return rows;
  }();
  return kBlocks;
}

std::span<const OptionRow> profile_retry_options() {
  static constexpr std::array kRows = {
      works("connect-timeout", "SECONDS", {1, 1}, apply_connect_timeout,
            "How long an address may stay silent before it is given up; 30 by default. What begins "
            "to answer then has `hand-window`."),
      works("server-poll-timeout", "SECONDS", {1, 1}, apply_connect_timeout, "The same."),
      works("resolv-retry", "infinite|SECONDS", {1, 1}, apply_resolv_retry,
            "How long the servers' names may have no address before the client gives up; for ever "
            "by default. Names are looked up again each time that it connects."),
      works(
          "connect-retry", "SECONDS [MAX]", {1, 2}, apply_connect_retry,
          "Wait before all servers are tried again; after five rounds it doubles with each, up to "
          "MAX. 1 and 300 by default. It ends early when the host gets an address or a "
          "route."),
      works("connect-retry-max", "N", {1, 1}, apply_connect_retry_max,
            "Gives up when all servers have been tried so often in a row; never by default."),
      works("explicit-exit-notify", "[N]", {0, 1}, apply_exit_notify,
            "How often the server is told that we leave; once by default. A server that takes the "
            "goodbye on the control channel is told there, reliably."),
  };
  return kRows;
}

}  // namespace ringway
