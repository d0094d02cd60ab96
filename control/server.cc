#include "control/server.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "control/aead_start.h"
#include "control/config/client_files.h"
#include "control/config/config_parser.h"
#include "control/control_plane.h"
#include "control/control_thread.h"
#include "control/peer_registry.h"
#include "control/pid_file.h"
#include "control/privileges.h"
#include "control/programs/server_programs.h"
#include "control/revocation_watch.h"
#include "control/server_files.h"
#include "control/server_setup.h"
#include "control/session_terms.h"
#include "control/signal_inbox.h"
#include "control/tls_setup.h"
#include "control/worker_plan.h"
#include "dataplane/confinement.h"
#include "dataplane/worker_group.h"

namespace ringway {

namespace {

Result<void> open_log(const ServerConfig& config) {
  if (!log::open({.verb = config.verb, .file = config.log_file, .append = config.log_append})) {
    return fail("cannot write the log file", config.log_file,
                "create its directory, or leave `log` out to log to standard error");
  }
  for (const std::string& note : config.notes) log::warning("{}", note);
  return {};
}

UnneededCall unneeded_calls(SeccompMode mode) {
  switch (mode) {
    case SeccompMode::Kill: return UnneededCall::Kills;
    case SeccompMode::Log: return UnneededCall::IsLogged;
    case SeccompMode::Off: return UnneededCall::IsIgnored;
  }
  return UnneededCall::Kills;
}

/// Clients would say it too, but each of them and only from then on.
void warn_of_expiry(const TlsContext& tls, const TlsConfig& config) {
  constexpr std::int64_t kDay = 86'400;
  constexpr std::int64_t kWarnDays = 30;
  const std::optional<UnixTime> end = tls.own_certificate_expires();
  if (!end) return;
  const std::int64_t left = end->seconds - wall_now().seconds;
  if (left <= 0) {
    log::warning("{}: the server's certificate has expired, and clients refuse it: renew it",
                 config.cert.where);
  } else if (left < kWarnDays * kDay) {
    log::warning("{}: the server's certificate expires in {} days", config.cert.where, left / kDay);
  }
}

Result<std::vector<UdpSocket>> duplicate_sockets(const std::vector<UdpSocketGroup>& listeners) {
  std::vector<UdpSocket> sockets;
  for (const UdpSocketGroup& group : listeners) {
    Result<UdpSocket> duplicate = group.sockets.front().duplicate();
    if (!duplicate) return std::unexpected(duplicate.error());
    sockets.push_back(std::move(*duplicate));
  }
  return sockets;
}

/// Addresses that are fixed for clients who are not here yet go to nobody else.
Result<void> foresee_clients(const ServerConfig& config, ControlPlane& plane) {
  if (config.client_config_directory.empty()) return {};
  const Result<std::vector<ClientFileText>> files =
      read_client_files(config.client_config_directory);
  if (!files) return std::unexpected(files.error());
  const Now now = read_clocks();
  for (const ClientFileText& file : *files) {
    plane.foresee_client(file.name, file.text, file.where, now);
  }
  return {};
}

std::optional<IcmpListener> listen_for_icmp() {
  Result<IcmpListener> listener = IcmpListener::open();
  if (listener) return std::move(*listener);
  log::info("{}", listener.error().to_string());
  return std::nullopt;
}

Result<std::unique_ptr<WorkerGroup>> make_workers(const ServerConfig& config,
                                                  const AeadChoice& aead, const TlsWrap& wrap,
                                                  TunDevice& tun,
                                                  std::vector<UdpSocketGroup> listeners,
                                                  std::vector<TcpListenerGroup> tcp_listeners,
                                                  const WorkerPlan& plan) {
  WorkerGroupSettings settings{
      .datapath = datapath_settings(config),
      .limits = worker_limits(config),
      .listeners = std::move(listeners),
      .tcp_listeners = std::move(tcp_listeners),
      .hand_window = config.timers.hand_window,
      .offloads = plan.offloads,
      .pacing = {.delay_max = config.workers.batch_delay, .busy_poll = config.workers.busy_poll},
      .cores = plan.cores,
      .multishot_tun_reads = !config.workers.like_6_1,
      .peers_max = PeerRegistry::numbers_max(tun.queue_count(), config.clients_max)};
  settings.datapath.aead = aead;
  settings.datapath.admission = admission_settings(config, wrap);
  for (std::uint16_t i = 0; i < tun.queue_count(); ++i) {
    settings.tun_queues.push_back(tun.take_queue(i));
  }
  return WorkerGroup::create(std::move(settings));
}

/// The helper process is a copy of this one, and its programs may gain rights: so it comes first.
Result<HelperEnd> begin_process(ServerConfig& config) {
  Result<HelperEnd> helper = start_helper_for(config);
  if (!helper) return helper;
  protect_memory();
  if (Result<void> log = open_log(config); !log) return std::unexpected(log.error());
  if (auto pushes = check_pushes(config.push, config.source); !pushes) {
    return std::unexpected(pushes.error());
  }
  if (auto reserved = reserve_secrets(config); !reserved) {
    return std::unexpected(reserved.error());
  }
  return helper;
}

/// Whatever strangers send is met by a process that can do no more than serve.
Result<void> begin_service(const ServerConfig& config, WorkerGroup& workers) {
  if (auto dropped = drop_privileges({.user = config.user, .group = config.group}); !dropped) {
    return dropped;
  }
  const UnneededCall unneeded = unneeded_calls(config.seccomp);
  if (Result<void> confined = confine_control_thread(unneeded); !confined) return confined;
  return workers.run(unneeded);
}

/// What has come of the key files.
struct ServerKeys {
  TlsContext tls;
  TlsWrap wrap;
  std::optional<AuthTokens> tokens;
};

/// Their texts are wiped: they are of no more use.
Result<ServerKeys> take_key_files(ServerConfig& config, RandomSource& random) {
  Result<TlsContext> tls = make_tls_context(Side::Server, config.tls, wall_now());
  if (!tls) return std::unexpected(tls.error());
  warn_of_expiry(*tls, config.tls);
  Result<TlsWrap> wrap = make_tls_wrap(Side::Server, config.wrap);
  if (!wrap) return std::unexpected(wrap.error());
  Result<std::optional<AuthTokens>> tokens = make_auth_tokens(config.tokens, random);
  if (!tokens) return std::unexpected(tokens.error());
  // OpenSSL and the wrapping have copies of their own, which are wiped with them.
  wipe_secrets(config);
  return ServerKeys{.tls = std::move(*tls), .wrap = std::move(*wrap), .tokens = std::move(*tokens)};
}

}  // namespace

/// The order is the contract: what needs privileges comes before they are dropped, what can fail
/// before the threads start. Everything is a local of this function, so leaving it, by the end or
/// by an error, takes it apart in the reverse order.
Result<void> run_server(ServerConfig config, const PushReload& reload) {
  Result<HelperEnd> helper = begin_process(config);
  if (!helper) return std::unexpected(helper.error());
  const Result<AeadChoice> aead = choose_aead(config.aead_engine, config.data_ciphers);
  if (!aead) return std::unexpected(aead.error());
  WorkerPlan plan = plan_workers(config.workers, read_cores());
  test_link_offloads(plan);
  const std::uint16_t worker_count = plan.count;

  Result<SignalInbox> signals = SignalInbox::open();
  if (!signals) return std::unexpected(signals.error());
  SystemRandom random;
  Result<ServerKeys> keys = take_key_files(config, random);
  if (!keys) return std::unexpected(keys.error());
  ServerPrograms programs(config, std::move(*helper));
  ServerFiles files(config);
  if (Result<void> opened = files.open(); !opened) return opened;
  if (auto found = look_up_listeners(config); !found) return found;
  Result<std::vector<UdpSocketGroup>> listeners = open_listeners(config, plan);
  if (!listeners) return std::unexpected(listeners.error());
  auto tcp_listeners = open_tcp_listeners(config, plan);
  if (!tcp_listeners) return std::unexpected(tcp_listeners.error());
  Result<std::vector<UdpSocket>> senders = duplicate_sockets(*listeners);
  if (!senders) return std::unexpected(senders.error());
  Result<TunDevice> tun = open_tun(config.tunnel, worker_count, plan.offloads.tun);
  if (!tun) return std::unexpected(tun.error());
  apply_proof(plan, *tun);
  log_worker_plan(plan, config.workers);
  if (Result<void> ran = programs.start(tun->name()); !ran) return ran;
  std::optional<TunSteering> steering = steer_tun(*tun, config);
  std::optional<IcmpListener> icmp = listen_for_icmp();

  ControlPlane plane(config, keys->wrap, keys->tls, random, worker_count, files.persisted_leases(),
                     read_clocks());
  if (auto foreseen = foresee_clients(config, plane); !foreseen) return foreseen;
  if (keys->tokens) plane.set_tokens(std::move(*keys->tokens));
  RevocationWatch revocation(config.tls, keys->tls, plane, programs);
  if (Result<void> opened = revocation.open(read_clocks()); !opened) return opened;
  AddressLog addresses(config, tun->name());
  Result<std::unique_ptr<WorkerGroup>> workers = make_workers(
      config, *aead, keys->wrap, *tun, std::move(*listeners), std::move(*tcp_listeners), plan);
  if (!workers) return std::unexpected(workers.error());
  if (Result<void> barred = bar_new_capabilities(); !barred) return barred;
  if (Result<void> started = (*workers)->start(); !started) return started;
  const Result<PidFile> pid_file = PidFile::write(config.write_pid_file);
  if (!pid_file) return std::unexpected(pid_file.error());

  ControlThread control({.config = config,
                         .plane = plane,
                         .workers = **workers,
                         .tls = keys->tls,
                         .files = files,
                         .signals = *signals,
                         .revocation = revocation,
                         .addresses = addresses,
                         .programs = programs,
                         .reload = reload,
                         .steering = steering ? &*steering : nullptr,
                         .sockets = std::move(*senders),
                         .icmp = std::move(icmp)});
  control.prepare_workers();
  if (Result<void> serving = begin_service(config, **workers); !serving) return serving;
  log::info("Ringway {} is ready: {} worker{}, at most {} clients", RINGWAY_VERSION, worker_count,
            worker_count == 1 ? "" : "s", config.clients_max);
  control.run();
  (*workers)->stop();
  log::info("stopped");
  return {};
}

}  // namespace ringway
