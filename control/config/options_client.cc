#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// What clients are given, how many there may be, and what is known about each.
namespace ringway {
namespace {

constexpr std::size_t kPushCountMax = 512;
constexpr std::uint64_t kClientsMax = 1'000'000;

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

/// The server sends these itself, with a value for each client.
bool is_per_client(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {
      "ifconfig",       "ifconfig-ipv6",  "peer-id",    "cipher",           "tun-mtu",
      "protocol-flags", "key-derivation", "auth-token", "push-continuation"};
  return std::ranges::find(kNames, name) != kNames.end();
}

Result<void> check_pushed_option(const ConfigLine& line, const std::string& option) {
  const std::string_view name = first_word(option);
  if (name.empty()) return bad_value(line, 1, "an option for the clients in \"double quotes\"");
  if (option.find(',') != std::string::npos) {
    return refused_value(line, "contains a comma, which separates pushed options",
                         "write one `push` line for each option");
  }
  if (is_per_client(name)) {
    return refused_value(line, "is refused: Ringway pushes that itself, with each client's value",
                         "delete the line");
  }
  if (name == "comp-lzo" || (name == "compress" && option != "compress stub-v2")) {
    return refused_value(line, "would make clients use a packet format that Ringway does not speak",
                         "delete the line");
  }
  if (name == "topology" && option != "topology subnet") {
    return refused_value(line, "contradicts the only topology served",
                         "delete the line; `topology subnet` is pushed anyway");
  }
  if (name == "fragment") {
    return refused_value(line, "is refused: no client takes it from a server",
                         "write `mssfix BYTES mtu` for the server");
  }
  return {};
}

Result<void> apply_push(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() > 1) {
    const std::string whole = line_text(line).substr(line.name().size() + 1);
    return refused_value(line, "pushes several words where one option is meant",
                         fmt::format("write `push {}`", quote_config_word(whole)));
  }
  const std::string& option = line.parameter(1);
  if (auto checked = check_pushed_option(line, option); !checked) return checked;
  if (draft.push.size() == kPushCountMax) {
    return refused_value(line, fmt::format("is one too many: {} are allowed", kPushCountMax),
                         "join neighbouring routes into one");
  }
  draft.push.push_back(option);
  return {};
}

Result<void> apply_pool_persist(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 2) {
    const auto interval = seconds_at(line, 2, {0, kSecondsMax});
    if (!interval) return std::unexpected(interval.error());
    draft.config.pool_persist_interval = *interval;
  }
  if (line.parameter(1).empty()) return bad_value(line, 1, "a file's path");
  draft.config.pool_persist_file = line.parameter(1);
  return {};
}

Result<void> apply_max_clients(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {1, kClientsMax});
  if (!count) return std::unexpected(count.error());
  draft.config.clients_max = static_cast<std::uint32_t>(*count);
  return {};
}

Result<void> apply_duplicate_cn(ConfigDraft& draft, const ConfigLine&) {
  draft.config.duplicate_cn = true;
  return {};
}

Result<void> apply_client_to_client(ConfigDraft& draft, const ConfigLine&) {
  draft.config.client_to_client = true;
  return {};
}

Result<void> apply_explicit_exit_notify(ConfigDraft& draft, const ConfigLine& line) {
  draft.config.explicit_exit_notify = 1;
  if (line.parameter_count() == 0) return {};
  const auto mode = number_at(line, 1, {0, 2});
  if (!mode) return std::unexpected(mode.error());
  draft.config.explicit_exit_notify = static_cast<int>(*mode);
  return {};
}

Result<void> apply_connect_freq_initial(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {1, 1'000'000'000});
  if (!count) return std::unexpected(count.error());
  const auto period = seconds_at(line, 2, {1, kSecondsMax});
  if (!period) return std::unexpected(period.error());
  draft.config.connect_freq_initial_count = static_cast<std::uint32_t>(*count);
  draft.config.connect_freq_initial_period = *period;
  return {};
}

constexpr std::string_view kPerClient =
    "belongs in a client's own file, and these are not served yet";
constexpr std::string_view kPassword =
    "is not served yet: clients prove who they are by certificate";
constexpr std::string_view kDeleteForNow = "delete the line";

constexpr std::array kRows = {
    works("push", "\"OPTION\"", {1, 15}, apply_push,
          "An option for the clients, e.g. `push \"redirect-gateway def1 ipv6\"`, `push "
          "\"dhcp-option DNS 10.8.0.1\"` or `push \"route 192.168.4.0 255.255.255.0\"`. What "
          "Ringway pushes by itself (addresses, peer-id, cipher, MTU) is refused."),
    works("ifconfig-pool-persist", "FILE [SECONDS]", {1, 2}, apply_pool_persist,
          "Keeps each client's addresses across restarts; written every 600 seconds and at exit. "
          "With 0 seconds the file is only read."),
    works("max-clients", "N", {1, 1}, apply_max_clients, "1024 by default."),
    works("duplicate-cn", "", {0, 0}, apply_duplicate_cn,
          "Several clients may share a certificate; otherwise the newest replaces the older one."),
    works("client-to-client", "", {0, 0}, apply_client_to_client,
          "Clients reach each other inside the server, past the host's firewall."),
    works("explicit-exit-notify", "[0|1|2]", {0, 1}, apply_explicit_exit_notify,
          "Tells clients when the server stops: 1 to reconnect, 2 to try their next server."),
    works("connect-freq-initial", "N SECONDS", {2, 2}, apply_connect_freq_initial,
          "At most N answers to strangers' first packets in each period."),
    no_effect("max-routes-per-client", "limits networks behind clients, which are not served yet"),
    no_effect("bcast-buffers", "is for OpenVPN's queues; Ringway's are bounded by themselves"),
    no_effect("hash-size", "is for OpenVPN's tables; Ringway's are sized by `max-clients`"),
    no_effect("stale-routes-check", "is for learned addresses; Ringway learns none from packets"),
    no_effect("push-peer-info", "is for clients; what they send is read"),
    refused("connect-freq", "is not served: Ringway limits strangers before they cost anything",
            "write `connect-freq-initial N SECONDS`"),
    refused("client-config-dir", "is not served yet: clients would lose what is set there for them",
            "delete the line, and write what all clients need as `push` lines"),
    refused("ccd-exclusive", "is not served yet: clients without a file would get in",
            "delete the line, and revoke clients by `crl-verify`"),
    refused("iroute", kPerClient, "delete the line"),
    refused("iroute-ipv6", kPerClient, "delete the line"),
    refused("ifconfig-push", kPerClient,
            "write `ifconfig-pool-persist FILE` so that clients keep their addresses"),
    refused("ifconfig-ipv6-push", kPerClient,
            "write `ifconfig-pool-persist FILE` so that clients keep their addresses"),
    refused("ifconfig-push-constraint", kPerClient, "delete the line"),
    refused("push-reset", kPerClient, "delete the `push` lines that are not wanted"),
    refused("push-remove", kPerClient, "delete the `push` lines that are not wanted"),
    refused("disable", kPerClient, "revoke the client by `crl-verify`"),
    refused("override-username", kPerClient, kDeleteForNow),
    refused("username-as-common-name", kPassword, kDeleteForNow),
    refused("auth-user-pass-optional", kPassword, kDeleteForNow),
    refused("auth-gen-token", kPassword, kDeleteForNow),
    refused("auth-gen-token-secret", kPassword, kDeleteForNow),
    refused("inactive", "is not served yet: idle clients would stay connected",
            "write `push \"inactive SECONDS BYTES\"`, so that clients leave by themselves"),
    refused("session-timeout", "is not served yet: sessions would last longer",
            "write `push \"session-timeout SECONDS\"`, so that clients leave by themselves"),
    refused("shaper", "is not served: OpenVPN's servers refuse it too",
            "limit the TUN device by tc"),
};

}  // namespace

std::span<const OptionRow> client_options() { return kRows; }

}  // namespace ringway
