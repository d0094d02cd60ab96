#include "control/client_shell.h"

#include <string>
#include <utility>

#include "base/log.h"
#include "base/secret.h"
#include "base/secret_text.h"
#include "control/aead_start.h"
#include "control/client_life.h"
#include "control/client_login.h"
#include "control/client_network.h"
#include "control/config/profile_parser.h"
#include "control/pid_file.h"
#include "control/privileges.h"
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

ClientSettings client_settings(const ClientConfig& config) {
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
                          .renegotiate_bytes = timers.renegotiate_bytes,
                          .renegotiate_packets = timers.renegotiate_packets,
                          .copies_dscp = config.tunnel.passtos,
                          .mssfix = config.tunnel.mssfix,
                          .path = PathKind::Searched};
  settings.ping_exits = config.lifetime.ping_exits;
  settings.lifetime = {.inactive = config.lifetime.inactive,
                       .inactive_bytes = config.lifetime.inactive_bytes,
                       .session = config.lifetime.session};
  settings.ignores_push = [&config](std::string_view option) { return is_ignored(option, config); };
  // What a user can do while the server holds its answer back (AUTH_PENDING).
  if (Prompt::can_ask()) settings.channel.peer_info.set("IV_SSO", "webauth,openurl,crtext");
  return settings;
}

/// The passphrase of the private key, which is empty where it needs none; nothing when a signal
/// came in place of the answer. A wrong one may be typed again.
Result<std::optional<SecretText>> key_passphrase(const ClientConfig& config, SignalInbox& signals) {
  const FileOrInline& key = config.tls.key;
  const bool is_encrypted = key.text.contains("ENCRYPTED");
  if (!is_encrypted || !config.login.passphrase.text.empty()) {
    const std::string& text = config.login.passphrase.text;
    return SecretText(std::string_view(text).substr(0, text.find_first_of("\r\n")));
  }
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    auto answer = ask_user({.text = "Enter Private Key Password:"}, signals);
    if (!answer || !*answer || i == kTries || opens_private_key(key, **answer)) return answer;
    log::warning("{}: this passphrase does not fit", key.where);
  }
}

/// Undoes what a client that was killed has left, before its remains are in our way, and begins a
/// page of our own.
UndoJournal open_journal(const ClientConfig& config) {
  const std::string directory =
      config.undo_directory.empty() ? std::string(UndoJournal::kDirectory) : config.undo_directory;
  UndoJournal::undo_leftovers(directory, undo_deed);
  Result<UndoJournal> journal = UndoJournal::open(directory);
  if (journal) return std::move(*journal);
  log::warning("after a crash nothing would be undone: {}", journal.error().to_string());
  return {};
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
  Result<std::optional<SecretText>> passphrase = key_passphrase(config, *signals);
  if (!passphrase) return std::unexpected(passphrase.error());
  if (!*passphrase) return {};
  const Result<TlsContext> tls =
      make_tls_context(Side::Client, config.tls, wall_now(), **passphrase);
  passphrase->reset();
  if (!tls) return std::unexpected(tls.error());
  const Result<TlsWrap> wrap = make_tls_wrap(Side::Client, config.wrap);
  if (!wrap) return std::unexpected(wrap.error());
  ClientSettings settings = client_settings(config);
  Result<ClientLogin> login = ClientLogin::make(config);
  if (!login) return std::unexpected(login.error());
  const Result<AeadChoice> aead = choose_aead(config.aead_engine, config.data_ciphers);
  if (!aead) return std::unexpected(aead.error());
  const AeadEngines engines(*aead);
  settings.engines = &engines;
  for (FileOrInline* file : {&config.tls.key, &config.wrap.key, &config.wrap.v2_key,
                             &config.auth_user_pass, &config.login.passphrase}) {
    wipe(file->text);
  }
  const Result<PidFile> pid_file = PidFile::write(config.write_pid_file);
  if (!pid_file) return std::unexpected(pid_file.error());

  WorkerPlan plan = plan_workers(config.worker, {});
  test_link_offloads(plan);
  log::info("Ringway {} client: {}", RINGWAY_VERSION, offload_line(plan, config.worker));
  for (const std::string& warning : offload_warnings(plan)) log::warning("{}", warning);
  UndoJournal journal = open_journal(config);
  if (auto dropped = keep_net_admin_alone({.user = config.user, .group = config.group}); !dropped) {
    return dropped;
  }
  Result<NetworkWatch> network = NetworkWatch::open();
  if (!network) return std::unexpected(network.error());
  AddressQueries queries;
  SystemRandom random;
  Counters counters;
  const ClientParts parts{.config = config,
                          .settings = settings,
                          .wrap = *wrap,
                          .tls = *tls,
                          .random = random,
                          .signals = *signals,
                          .network = *network,
                          .queries = queries,
                          .counters = counters,
                          .offloads = plan.offloads,
                          .journal = journal,
                          .login = *login};
  const Result<void> ended = ClientLife(parts).run();
  if (ended) log::info("stopped");
  return ended;
}

}  // namespace ringway
