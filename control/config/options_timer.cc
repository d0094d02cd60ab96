#include <fmt/format.h>

#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// Keep-alive, handshakes and renegotiation.
namespace ringway {
namespace {

Result<void> store_seconds(Duration& time, const ConfigLine& line, NumberLimits limits) {
  const auto seconds = seconds_at(line, 1, limits);
  if (!seconds) return std::unexpected(seconds.error());
  time = *seconds;
  return {};
}

Result<void> apply_keepalive(ConfigDraft& draft, const ConfigLine& line) {
  // Half the limit, because the server waits twice as long as it tells the clients to.
  const auto interval = seconds_at(line, 1, {0, kSecondsMax / 2});
  if (!interval) return std::unexpected(interval.error());
  const auto timeout = seconds_at(line, 2, {0, kSecondsMax / 2});
  if (!timeout) return std::unexpected(timeout.error());
  draft.keepalive = KeepaliveLine{.interval = *interval, .timeout = *timeout};
  return {};
}

Result<void> apply_ping(ConfigDraft& draft, const ConfigLine& line) {
  return store_seconds(draft.config.timers.ping, line, {0, kSecondsMax});
}
Result<void> apply_ping_restart(ConfigDraft& draft, const ConfigLine& line) {
  return store_seconds(draft.config.timers.ping_restart, line, {0, kSecondsMax});
}
Result<void> apply_hand_window(ConfigDraft& draft, const ConfigLine& line) {
  return store_seconds(draft.config.timers.hand_window, line, {2, kSecondsMax});
}
Result<void> apply_tran_window(ConfigDraft& draft, const ConfigLine& line) {
  return store_seconds(draft.config.timers.tran_window, line, {1, kSecondsMax});
}
Result<void> apply_tls_timeout(ConfigDraft& draft, const ConfigLine& line) {
  return store_seconds(draft.config.timers.tls_timeout, line, {1, 60});
}

Result<void> apply_reneg_sec(ConfigDraft& draft, const ConfigLine& line) {
  TimerConfig& timers = draft.config.timers;
  if (auto stored = store_seconds(timers.renegotiate, line, {0, kSecondsMax}); !stored) {
    return stored;
  }
  timers.renegotiate_min = Duration{0};
  if (line.parameter_count() == 1) return {};
  const auto min = seconds_at(line, 2, {0, kSecondsMax});
  if (!min) return std::unexpected(min.error());
  if (*min > timers.renegotiate) {
    return refused_value(
        line, "has a lower end above the upper one",
        fmt::format("write `reneg-sec {} {}`", line.parameter(2), line.parameter(1)));
  }
  timers.renegotiate_min = *min;
  return {};
}

Result<void> apply_reneg_bytes(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {0, UINT64_MAX});
  if (!count) return std::unexpected(count.error());
  draft.config.timers.renegotiate_bytes = *count;
  return {};
}

Result<void> apply_reneg_pkts(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {0, UINT64_MAX});
  if (!count) return std::unexpected(count.error());
  draft.config.timers.renegotiate_packets = *count;
  return {};
}

Result<void> apply_inactive(ConfigDraft& draft, const ConfigLine& line) {
  const Result<ActivityLimit> limit = activity_limit_of(line);
  if (!limit) return std::unexpected(limit.error());
  draft.config.timers.inactive = *limit;
  return {};
}

Result<void> apply_session_timeout(ConfigDraft& draft, const ConfigLine& line) {
  const auto time = seconds_at(line, 1, {0, kSecondsMax});
  if (!time) return std::unexpected(time.error());
  draft.config.timers.session_timeout = *time;
  return {};
}

constexpr std::array kRows = {
    works("keepalive", "INTERVAL TIMEOUT", {2, 2}, apply_keepalive,
          "Pings every INTERVAL seconds; clients restart after TIMEOUT seconds of silence, the "
          "server gives a client up after twice that. Pushes `ping` and `ping-restart`."),
    works("ping", "SECONDS", {1, 1}, apply_ping, "The server's half of `keepalive`; 0 is off."),
    works("ping-restart", "SECONDS", {1, 1}, apply_ping_restart,
          "After so much silence a client is given up; 0 is never."),
    works("reneg-sec", "MAX [MIN]", {1, 2}, apply_reneg_sec,
          "Age at which keys are replaced, drawn between MIN and MAX for each client; 3600 by "
          "default, MIN nine tenths of it; 0 is never."),
    works("reneg-bytes", "N", {1, 1}, apply_reneg_bytes,
          "Keys are replaced after so many bytes, both ways together; 0 is never."),
    works(
        "reneg-pkts", "N", {1, 1}, apply_reneg_pkts,
        "Keys are replaced after so many packets, both ways together; 0 is never. Looked at every "
        "ten seconds."),
    works("hand-window", "SECONDS", {1, 1}, apply_hand_window,
          "A handshake must end within this time; 60 by default, 2 at least."),
    works("tran-window", "SECONDS", {1, 1}, apply_tran_window,
          "Replaced keys stay valid for so long; 3600 by default."),
    works("tls-timeout", "SECONDS", {1, 1}, apply_tls_timeout,
          "First wait before a control packet is sent again, 1 to 60; 1 by default, where "
          "OpenVPN waits 2."),
    works(
        "inactive", "SECONDS [BYTES]", {1, 2}, apply_inactive,
        "A client is sent away when fewer than BYTES of packets, or none, went through its tunnel "
        "in so many seconds; pings do not count; 0 is never. It is told to start again."),
    works("session-timeout", "SECONDS", {1, 1}, apply_session_timeout,
          "A session ends after so many seconds, and its client is told to start again; 0 is "
          "never."),
    no_effect("ping-timer-rem", "is what holds: a timer starts when a client is there"),
    refused("ping-exit", "would stop the server for every client when one falls silent",
            "write `keepalive 10 60`"),
};

}  // namespace

std::span<const OptionRow> timer_options() { return kRows; }

}  // namespace ringway
