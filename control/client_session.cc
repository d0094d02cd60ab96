#include "control/client_session.h"

#include <algorithm>
#include <csignal>
#include <string>

#include "base/log.h"
#include "control/counter_report.h"

namespace ringway {
namespace {

/// What a server may push.
constexpr std::size_t kTunMtuMax = 9000;

std::string address_line(const LinkSettings& link) {
  std::string text;
  if (link.v4) text += link.v4->to_string();
  if (link.v4 && link.v6) text += " and ";
  if (link.v6) text += link.v6->to_string();
  return text;
}

bool is_same(const LinkSettings& a, const LinkSettings& b) {
  const auto same_address = [](const auto& left, const auto& right) {
    return left.has_value() == right.has_value() &&
           (!left || left->to_string() == right->to_string());
  };
  return same_address(a.v4, b.v4) && same_address(a.v6, b.v6) && a.mtu == b.mtu &&
         a.tx_queue_length == b.tx_queue_length &&
         std::ranges::equal(a.routes, b.routes, [](const LinkRoute& left, const LinkRoute& right) {
           return left.destination == right.destination && left.metric == right.metric;
         });
}

}  // namespace

ClientSession::ClientSession(const ClientParts& parts, const Endpoint& server,
                             std::optional<ClientDevice>& device)
    : parts_(parts),
      server_(server),
      device_(device),
      core_(parts.settings, parts.wrap, parts.tls, parts.random, read_clocks()) {}

ClientSession::End ClientSession::run() {
  log::info("connecting to {}", server_.to_string());
  const ClientConfig& config = parts_.config;
  auto socket = open_udp_sockets(
      {.address = {},
       .port = 0,
       .family = server_.address.is_v4() ? SocketFamily::V4Only : SocketFamily::V6Only,
       .send_buffer_size = config.send_buffer,
       .receive_buffer_size = config.receive_buffer,
       .gro = parts_.offloads.link_gro},
      1);
  if (!socket) {
    error_ = socket.error();
    return End::Unwelcome;
  }
  socket_ = std::move(*socket);
  Offloads offloads = parts_.offloads;
  offloads.link_gro = socket_.gro;
  loop_.emplace(ClientLoop::Settings{.sockets = socket_.sockets,
                                     .server = server_,
                                     .tun_mtu_max = kTunMtuMax,
                                     .offloads = offloads,
                                     .multishot_tun_reads = !config.worker.like_6_1,
                                     .wake_fd = parts_.signals.fd()},
                core_, parts_.counters);
  if (auto ready = loop_->set_up(); !ready) {
    error_ = ready.error();
    return End::Unwelcome;
  }
  serve();
  loop_->shut_down();
  return *end_;
}

void ClientSession::serve() {
  while (!end_) {
    loop_->turn();
    while (const auto signal = parts_.signals.take()) take_signal(*signal);
    while (const auto event = core_.poll_event()) {
      std::visit([this](const auto& what) { handle(what); }, *event);
    }
  }
}

void ClientSession::handle(const ClientConnected& event) {
  if (leaving_) return;
  const Result<void> ready = set_up_device(event.push);
  if (ready) {
    was_connected_ = true;
    return;
  }
  error_ = ready.error();
  leave(End::Unwelcome);
}

Result<void> ClientSession::set_up_device(const PushReply& push) {
  const auto wanted = filter_push(push, parts_.config);
  if (!wanted) return std::unexpected(wanted.error());
  const auto network = ClientNetwork::make(*wanted, parts_.config, server_);
  if (!network) return std::unexpected(network.error());
  for (const std::string& note : network->notes) log::info("{}", log::escape(note));
  if (auto opened = open_device(*network); !opened) return opened;

  const LinkSettings& link = network->link;
  loop_->attach(
      {.fd = device_->fd(), .mtu = link.mtu, .offloads = device_->offloads(), .mss = network->mss});
  log::info("connected: {} on {}, MTU {}, {} route{}, {}, server {}", address_line(link),
            device_->name(), link.mtu, device_->route_count(),
            device_->route_count() == 1 ? "" : "s",
            log::escape(find_option(push, "cipher").value_or("")), server_.to_string());
  return {};
}

Result<void> ClientSession::open_device(const ClientNetwork& network) {
  if (device_ && is_same(device_->network().link, network.link)) {
    log::info("{}: kept, as the server pushes the same again", device_->name());
    return {};
  }
  device_.reset();
  Result<ClientDevice> opened = ClientDevice::open(
      {.name = parts_.config.tunnel.device, .offloads = parts_.offloads.tun, .server = server_},
      network);
  if (!opened) return std::unexpected(opened.error());
  device_.emplace(std::move(*opened));
  return {};
}

void ClientSession::handle(const ClientDisconnected& event) {
  using Cause = ClientDisconnected::Cause;
  const std::string reason = log::escape(event.reason);
  if (leaving_) {
    end_ = leaving_;
    return;
  }
  switch (event.cause) {
    case Cause::AuthFailed:
      error_ = {.what = "AUTH_FAILED: the server refuses us" +
                        (reason.empty() ? std::string() : ": " + reason),
                .where = server_.to_string(),
                .advice = "check the certificate, or name and password, with its operator"};
      end_ = End::Unwelcome;
      return;
    case Cause::ServerHalt:
      error_ = {.what = "the server tells us to stop: " + reason,
                .where = server_.to_string(),
                .advice = "ask its operator why"};
      end_ = End::Unwelcome;
      return;
    case Cause::Left: end_ = End::Stopped; return;
    case Cause::ServerRestart:
    case Cause::Silence:
    case Cause::Failed:
      log::warning("{}: connection lost: {}", server_.to_string(), reason);
      end_ = End::Again;
      return;
  }
}

void ClientSession::handle(const ClientRekeyed& event) {
  log::info("renegotiated: new keys, key id {}", event.key_id.value);
}

void ClientSession::take_signal(int signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
      if (leaving_ == End::Stopped) {
        log::info("second signal: stopping at once");
        end_ = End::Stopped;
        return;
      }
      log::info("{}: stopping", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      return leave(End::Stopped);
    case SIGUSR2: return log_status();
    case SIGHUP:
      if (!log::open(
              {.verb = parts_.config.verb, .file = parts_.config.log_file, .append = true})) {
        log::warning("cannot reopen the log file {}; the one that is open stays in use",
                     parts_.config.log_file);
      }
      break;
    default: break;
  }
  log::info("{}: connecting anew", signal == SIGHUP ? "SIGHUP" : "SIGUSR1");
  leave(End::AgainNow);
}

void ClientSession::leave(End then) {
  if (leaving_ != End::Stopped) leaving_ = then;
  core_.leave(read_clocks());
}

void ClientSession::log_status() const {
  log::info("SIGUSR2: status\n{}", counter_report(parts_.counters.snapshot(), core_.drops()));
}

}  // namespace ringway
