#include "control/server.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "control/aead_start.h"
#include "control/channel/push.h"
#include "control/control_plane.h"
#include "control/control_thread.h"
#include "control/pid_file.h"
#include "control/privileges.h"
#include "control/revocation_watch.h"
#include "control/server_files.h"
#include "control/server_setup.h"
#include "control/signal_inbox.h"
#include "control/tls_setup.h"
#include "control/worker_plan.h"
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

/// Many times what stock clients read before they give up.
constexpr std::size_t kPushMessagesMax = 32;

Result<void> check_pushes(const ServerConfig& config) {
  std::vector<std::string> refused;
  const std::size_t messages = encode_push_reply({.options = config.push}, &refused).size();
  if (messages > kPushMessagesMax) {
    return fail(fmt::format("what is pushed fills {} messages, and at most {} are sent", messages,
                            kPushMessagesMax),
                config.source, "push fewer and wider routes");
  }
  for (const std::string& option : refused) {
    log::warning("push \"{}\" is not sent: a comma, a control character or more than 255 bytes",
                 log::escape(option));
  }
  return {};
}

/// OpenSSL and the wrapping have copies of their own, which are wiped with them.
void wipe_key_files(ServerConfig& config) {
  for (std::string* text : {&config.tls.key.text, &config.wrap.key.text}) {
    wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
    text->clear();
  }
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

Result<std::unique_ptr<WorkerGroup>> make_workers(const ServerConfig& config,
                                                  const AeadChoice& aead, TunDevice& tun,
                                                  std::vector<UdpSocketGroup> listeners,
                                                  const WorkerPlan& plan) {
  WorkerGroupSettings settings{
      .datapath = datapath_settings(config),
      .listeners = std::move(listeners),
      .offloads = plan.offloads,
      .pacing = {.delay_max = config.workers.batch_delay, .busy_poll = config.workers.busy_poll},
      .cores = plan.cores,
      .multishot_tun_reads = !config.workers.like_6_1,
      .peers_max = 2 * config.clients_max + tun.queue_count()};
  settings.datapath.aead = aead;
  for (std::uint16_t i = 0; i < tun.queue_count(); ++i) {
    settings.tun_queues.push_back(tun.take_queue(i));
  }
  return WorkerGroup::create(std::move(settings));
}

}  // namespace

/// The order is the contract: what needs privileges comes before they are dropped, what can fail
/// before the threads start. Everything is a local of this function, so leaving it, by the end or
/// by an error, takes it apart in the reverse order.
Result<void> run_server(ServerConfig config) {
  protect_memory();
  if (Result<void> log = open_log(config); !log) return log;
  if (Result<void> pushes = check_pushes(config); !pushes) return pushes;
  reserve_secrets(config);
  const Result<AeadChoice> aead = choose_aead(config.aead_engine, config.data_ciphers);
  if (!aead) return std::unexpected(aead.error());
  WorkerPlan plan = plan_workers(config.workers, read_cores());
  test_link_offloads(plan);
  const std::uint16_t worker_count = plan.count;

  Result<SignalInbox> signals = SignalInbox::open();
  if (!signals) return std::unexpected(signals.error());
  Result<TlsContext> tls = make_tls_context(Side::Server, config.tls, wall_now());
  if (!tls) return std::unexpected(tls.error());
  warn_of_expiry(*tls, config.tls);
  const Result<TlsWrap> wrap = make_tls_wrap(Side::Server, config.wrap);
  if (!wrap) return std::unexpected(wrap.error());
  wipe_key_files(config);
  ServerFiles files(config);
  if (Result<void> opened = files.open(); !opened) return opened;

  Result<std::vector<UdpSocketGroup>> listeners = open_listeners(config, plan);
  if (!listeners) return std::unexpected(listeners.error());
  Result<std::vector<UdpSocket>> senders = duplicate_sockets(*listeners);
  if (!senders) return std::unexpected(senders.error());
  Result<TunDevice> tun = open_tun(config.tunnel, worker_count, plan.offloads.tun);
  if (!tun) return std::unexpected(tun.error());
  apply_proof(plan, *tun);
  log_worker_plan(plan, config.workers);
  std::optional<TunSteering> steering = steer_tun(*tun, config);

  SystemRandom random;
  ControlPlane plane(config, *wrap, *tls, random, worker_count, files.persisted_leases(),
                     read_clocks());
  RevocationWatch revocation(config.tls, *tls, plane);
  if (Result<void> opened = revocation.open(read_clocks()); !opened) return opened;

  Result<std::unique_ptr<WorkerGroup>> workers =
      make_workers(config, *aead, *tun, std::move(*listeners), plan);
  if (!workers) return std::unexpected(workers.error());
  if (Result<void> started = (*workers)->start(); !started) return started;
  const Result<PidFile> pid_file = PidFile::write(config.write_pid_file);
  if (!pid_file) return std::unexpected(pid_file.error());
  Result<void> dropped = drop_privileges({.user = config.user, .group = config.group});
  if (!dropped) return dropped;

  ControlThread control({.config = config,
                         .plane = plane,
                         .workers = **workers,
                         .tls = *tls,
                         .files = files,
                         .signals = *signals,
                         .revocation = revocation,
                         .steering = steering ? &*steering : nullptr,
                         .sockets = std::move(*senders)});
  log::info("Ringway {} is ready: {} worker{}, at most {} clients", RINGWAY_VERSION, worker_count,
            worker_count == 1 ? "" : "s", config.clients_max);
  control.run();

  (*workers)->stop();
  log::info("stopped");
  return {};
}

}  // namespace ringway
