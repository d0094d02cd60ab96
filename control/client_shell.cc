#include "control/client_shell.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/secret.h"
#include "control/aead_start.h"
#include "control/client_session.h"
#include "control/config/profile_parser.h"
#include "control/pid_file.h"
#include "control/privileges.h"
#include "control/remote_resolver.h"
#include "control/tls_setup.h"
#include "control/worker_plan.h"

namespace ringway {
namespace {

Result<void> open_log(const ClientConfig& config) {
  if (!log::open({.verb = config.verb, .file = config.log_file, .append = config.log_append})) {
    return fail("cannot write the log file", config.log_file,
                "create its directory, or leave `log` out to log to standard error");
  }
  for (const std::string& note : config.notes) log::warning("{}", note);
  return {};
}

void wipe_text(std::string& text) {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.clear();
}

Result<ClientSettings> client_settings(const ClientConfig& config) {
  const TimerConfig& timers = config.timers;
  ClientSettings settings{.channel = {.side = Side::Client,
                                      .hand_window = timers.hand_window,
                                      .tran_window = timers.tran_window,
                                      .tls_timeout = timers.tls_timeout,
                                      .renegotiate = timers.renegotiate,
                                      .renegotiate_min = timers.renegotiate},
                          .data_ciphers = config.data_ciphers,
                          .ping_interval = timers.ping,
                          .ping_restart = timers.ping_restart,
                          .exit_notify_count = config.exit_notify};
  if (!config.auth_user_pass.is_set()) return settings;
  Result<UserPassword> user = read_user_password(config.auth_user_pass);
  if (!user) return std::unexpected(user.error());
  settings.channel.username = std::move(user->username);
  settings.channel.password = std::move(user->password);
  return settings;
}

/// False when a signal says that this was the end. Another signal ends the wait.
bool wait_for_next(Duration wait, SignalInbox& signals) {
  const timespec timeout{.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
  pollfd waiting{.fd = signals.fd(), .events = POLLIN, .revents = 0};
  ::ppoll(&waiting, 1, &timeout, nullptr);
  while (const auto signal = signals.take()) {
    if (*signal == SIGTERM || *signal == SIGINT) return false;
  }
  return true;
}

/// Connects again and again, with growing waits between failures.
Result<void> keep_connected(const ClientParts& parts) {
  using End = ClientSession::End;
  const RetryConfig& retry = parts.config.retry;
  std::optional<ClientDevice> device;
  Duration wait = retry.wait;
  std::uint32_t failures = 0;
  for (std::size_t attempt = 0;; ++attempt) {
    Error error;
    const auto addresses = resolve_remote(parts.config.remote);
    if (addresses) {
      ClientSession session(parts, (*addresses)[attempt % addresses->size()], device);
      const End end = session.run();
      if (end == End::Stopped) return {};
      if (end == End::Unwelcome) return std::unexpected(session.error());
      if (!parts.config.persist_tun) device.reset();
      if (session.was_connected() || end == End::AgainNow) {
        wait = retry.wait;
        failures = 0;
        // The address works; it is tried first again.
        --attempt;
      }
      if (end == End::AgainNow) continue;
      error = {
          .what = "the server does not answer or refuses us; the log says more",
          .where = parts.config.remote.host,
          .advice =
              "see that it runs, can be reached, and has the same `tls-crypt` or `tls-auth` key"};
    } else {
      log::warning("{}", addresses.error().to_string());
      error = addresses.error();
    }
    if (++failures == retry.attempts_max) return std::unexpected(error);
    log::info("next attempt in {} seconds", wait / 1s);
    if (!wait_for_next(wait, parts.signals)) return {};
    wait = std::min(2 * wait, retry.wait_max);
  }
}

}  // namespace

Result<void> run_client(ClientConfig config) {
  protect_memory();
  if (auto opened = open_log(config); !opened) return opened;
  if (auto locked = SecretArena::reserve({}); !locked) {
    log::warning("keys may be swapped out: {}", locked.error().to_string());
  }
  Result<SignalInbox> signals = SignalInbox::open();
  if (!signals) return std::unexpected(signals.error());
  const Result<TlsContext> tls = make_tls_context(Side::Client, config.tls, wall_now());
  if (!tls) return std::unexpected(tls.error());
  const Result<TlsWrap> wrap = make_tls_wrap(Side::Client, config.wrap);
  if (!wrap) return std::unexpected(wrap.error());
  Result<ClientSettings> settings = client_settings(config);
  if (!settings) return std::unexpected(settings.error());
  const Result<AeadChoice> aead = choose_aead(config.aead_engine, config.data_ciphers);
  if (!aead) return std::unexpected(aead.error());
  const AeadEngines engines(*aead);
  settings->engines = &engines;
  for (FileOrInline* file : {&config.tls.key, &config.wrap.key, &config.auth_user_pass}) {
    wipe_text(file->text);
  }
  const Result<PidFile> pid_file = PidFile::write(config.write_pid_file);
  if (!pid_file) return std::unexpected(pid_file.error());

  WorkerPlan plan = plan_workers(config.worker, {});
  test_link_offloads(plan);
  log::info("Ringway {} client: {}", RINGWAY_VERSION, offload_line(plan, config.worker));
  for (const std::string& warning : offload_warnings(plan)) log::warning("{}", warning);
  SystemRandom random;
  Counters counters;
  const ClientParts parts{.config = config,
                          .settings = *settings,
                          .wrap = *wrap,
                          .tls = *tls,
                          .random = random,
                          .signals = *signals,
                          .counters = counters,
                          .offloads = plan.offloads};
  const Result<void> ended = keep_connected(parts);
  wipe_text(settings->channel.password);
  if (ended) log::info("stopped");
  return ended;
}

}  // namespace ringway
