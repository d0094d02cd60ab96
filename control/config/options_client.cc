#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"
#include "control/config/pushed_option.h"

/// What clients are given, how many there may be, and what is known about each.
namespace ringway {
namespace {

constexpr std::size_t kPushCountMax = 512;
constexpr std::uint64_t kClientsMax = 1'000'000;
constexpr std::uint64_t kRoutesPerClientMax = 1'000'000;
/// Each handshake is compared with all of them.
constexpr std::size_t kSharedSourcesMax = 64;

Result<void> apply_auth_gen_token(ConfigDraft& draft, const ConfigLine& line) {
  TokenConfig tokens{.enabled = true, .secret = draft.config.tokens.secret};
  std::size_t count = line.parameter_count();
  if (count > 0 && line.parameter(count) == "external-auth") {
    tokens.external = true;
    --count;
  }
  if (count > 2) return bad_value(line, 3, "external-auth");
  for (std::size_t i = 1; i <= count; ++i) {
    const auto seconds = seconds_at(line, i, {0, kSecondsMax});
    if (!seconds) return std::unexpected(seconds.error());
    (i == 1 ? tokens.lifetime : tokens.renewal) = *seconds;
  }
  draft.config.tokens = std::move(tokens);
  return {};
}

Result<void> apply_auth_gen_token_secret(ConfigDraft& draft, const ConfigLine& line) {
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  if (file->path == "[inline]" && draft.config.tokens.secret.is_inline) return {};
  draft.config.tokens.secret = std::move(*file);
  return {};
}

Result<void> apply_push(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& option = line.parameter(1);
  if (auto checked = check_pushed_option(line, option); !checked) return checked;
  if (is_compression(option)) {
    draft.config.notes.push_back(
        fmt::format("{}: `{}` has no effect: clients whose profiles have compression are pushed "
                    "`compress stub-v2`, and others nothing",
                    line.where, line_text(line)));
    return {};
  }
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

Result<void> apply_client_config_dir(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "a directory's path");
  draft.config.client_config_directory = line.parameter(1);
  return {};
}

Result<void> apply_ccd_exclusive(ConfigDraft& draft, const ConfigLine&) {
  draft.config.client_config_exclusive = true;
  return {};
}

Result<void> apply_max_routes(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {1, kRoutesPerClientMax});
  if (!count) return std::unexpected(count.error());
  draft.config.routes_per_client_max = static_cast<std::uint32_t>(*count);
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

Result<void> apply_rate(const ConfigLine& line, std::uint64_t count_min, RateLimit& rate) {
  const auto count = number_at(line, 1, {count_min, 1'000'000'000});
  if (!count) return std::unexpected(count.error());
  const auto period = seconds_at(line, 2, {1, kSecondsMax});
  if (!period) return std::unexpected(period.error());
  rate = {.count = static_cast<std::uint32_t>(*count), .period = *period};
  return {};
}

Result<void> apply_connect_freq_initial(ConfigDraft& draft, const ConfigLine& line) {
  return apply_rate(line, 1, draft.config.connect_freq_initial);
}

Result<void> apply_connect_freq(ConfigDraft& draft, const ConfigLine& line) {
  return apply_rate(line, 1, draft.config.connect_freq);
}

Result<void> apply_connect_freq_source(ConfigDraft& draft, const ConfigLine& line) {
  return apply_rate(line, 0, draft.config.connect_freq_source);
}

Result<void> apply_connect_freq_shared(ConfigDraft& draft, const ConfigLine& line) {
  const auto network = Prefix::parse(line.parameter(1));
  if (!network) return bad_value(line, 1, "a network such as `100.64.0.0/10` or `2001:db8::/32`");
  if (draft.config.connect_freq_shared.size() == kSharedSourcesMax) {
    return refused_value(line, fmt::format("is one too many: {} are allowed", kSharedSourcesMax),
                         "join neighbouring networks into one");
  }
  draft.config.connect_freq_shared.push_back(*network);
  return {};
}

constexpr std::string_view kPerClient =
    "is about one client: it belongs into a file of `client-config-dir`";
constexpr std::string_view kPerClientInstead =
    "write `client-config-dir DIR`, and the line into the client's file there";
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
    works("client-config-dir", "DIR", {1, 1}, apply_client_config_dir,
          "A directory with a file for each client that gets something of its own, named by its "
          "common name; DEFAULT is for those without. Read when a client comes: see \"A client's "
          "own lines\"."),
    works("ccd-exclusive", "", {0, 0}, apply_ccd_exclusive,
          "Refuses clients that have no file there; DEFAULT does not count."),
    works("max-routes-per-client", "N", {1, 1}, apply_max_routes,
          "How many networks may be behind a client; 256 by default."),
    works("duplicate-cn", "", {0, 0}, apply_duplicate_cn,
          "Several clients may share a certificate; otherwise the newest replaces the older one."),
    works("client-to-client", "", {0, 0}, apply_client_to_client,
          "Clients reach each other inside the server, past the host's firewall."),
    works("explicit-exit-notify", "[0|1|2]", {0, 1}, apply_explicit_exit_notify,
          "Tells clients when the server stops: 1 to reconnect, 2 to try their next server."),
    works("auth-gen-token", "[LIFETIME [RENEWAL]] [external-auth]", {0, 3}, apply_auth_gen_token,
          "A client that has logged in gets a token that answers in its password's place, for "
          "LIFETIME seconds from the login (0, the default: for ever) and for twice RENEWAL "
          "(`reneg-sec` by default) without a new one. With `external-auth` the program of "
          "`auth-user-pass-verify` judges tokens, too."),
    works_inline("auth-gen-token-secret", "FILE", {0, 1}, apply_auth_gen_token_secret,
                 "The key that tokens are made with, as `ringway genkey auth-token` or `openvpn "
                 "--genkey auth-token` makes it; without it tokens end with the process."),
    works("connect-freq-initial", "N SECONDS", {2, 2}, apply_connect_freq_initial,
          "At most N answers to strangers' first packets over UDP in each period; each worker has "
          "an equal part of them. By default 50000 in 1 for each worker, where OpenVPN has 100 in "
          "10: an answer costs microseconds, and fewer would let a flood keep clients out."),
    works("connect-freq", "N SECONDS", {2, 2}, apply_connect_freq,
          "At most N new handshakes in each period, of clients that have shown that they receive "
          "at their address; each worker has an equal part of them, of 1 at least. No limit by "
          "default."),
    works("connect-freq-source", "N SECONDS", {2, 2}, apply_connect_freq_source,
          "Ringway's own: the same from one IPv4 address or IPv6 /64; a /56 has twice and a /48 "
          "four times as many. First packets: four times that. 250 in 1 by default, which "
          "thousands of clients behind one carrier's address do not notice; 0 is no limit."),
    works("connect-freq-shared", "NETWORK", {1, 1}, apply_connect_freq_shared,
          "Ringway's own, repeatable: `connect-freq-source` does not hold for addresses in this "
          "network, e.g. a carrier's NAT."),
    no_effect("bcast-buffers", "is for OpenVPN's queues; Ringway's are bounded by themselves"),
    no_effect("hash-size", "is for OpenVPN's tables; Ringway's are sized by `max-clients`"),
    no_effect("stale-routes-check", "is for learned addresses; Ringway learns none from packets"),
    no_effect("push-peer-info", "is for clients; what they send is read"),
    refused("iroute", kPerClient, kPerClientInstead),
    refused("iroute-ipv6", kPerClient, kPerClientInstead),
    refused("ifconfig-push", kPerClient, kPerClientInstead),
    refused("ifconfig-ipv6-push", kPerClient, kPerClientInstead),
    no_effect("ifconfig-push-constraint", "only makes OpenVPN say that an address is outside"),
    refused("push-reset", kPerClient, kPerClientInstead),
    refused("push-remove", kPerClient, kPerClientInstead),
    refused("disable", kPerClient, kPerClientInstead),
    refused("override-username", "is not served: a client would be taken for another",
            kDeleteForNow),
    refused("shaper", "is not served: OpenVPN's servers refuse it too",
            "limit the TUN device by tc"),
};

}  // namespace

std::span<const OptionRow> client_options() { return kRows; }

}  // namespace ringway
