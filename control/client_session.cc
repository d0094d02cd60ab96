#include "control/client_session.h"

#include <poll.h>
#include <sys/epoll.h>

#include <string>
#include <utility>

#include "base/log.h"
#include "control/client_signals.h"

namespace ringway {
namespace {

/// What a server may push.
constexpr std::size_t kTunMtuMax = 9000;
constexpr unsigned kHintsPerTurn = 64;
/// How often the loop asks what has changed, and how long our address may be away.
constexpr Duration kLookInterval = 100ms;
constexpr Duration kGoneForGood = 500ms;
/// For the names of hosts that routes lead to; a route whose name is not known then is left aside.
constexpr Duration kLookUpMax = 5s;

std::string address_line(const LinkSettings& link) {
  std::string text;
  if (link.v4) text += link.v4->to_string();
  if (link.v4 && link.v6) text += " and ";
  if (link.v6) text += link.v6->to_string();
  return text;
}

}  // namespace

ClientSession::ClientSession(const ClientParts& parts, Connection connection,
                             std::optional<ClientDevice>& device)
    : parts_(parts),
      connection_(std::move(connection)),
      server_(connection_.server),
      core_(connection_.core),
      device_(device) {}

void ClientSession::run() {
  if (!connection_.stream && connection_.socket.sockets.empty()) {
    log::warning("{}: the connection has ended", server_.to_string());
    end_ = End::Again;
    return;
  }
  // Without it, a path that becomes narrower is noticed later. TCP looks after its own.
  if (!connection_.stream) {
    if (auto icmp = IcmpListener::open()) icmp_.emplace(std::move(*icmp));
  }
  wake_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  watch(parts_.signals.fd());
  Offloads offloads = parts_.offloads;
  offloads.link_gro = connection_.socket.gro;
  loop_.emplace(ClientLoop::Settings{.sockets = connection_.socket.sockets,
                                     .stream = connection_.stream ? &*connection_.stream : nullptr,
                                     .server = server_,
                                     .floats = parts_.config.remotes[connection_.remote].floats,
                                     .tun_mtu_max = kTunMtuMax,
                                     .offloads = offloads,
                                     .multishot_tun_reads = !parts_.config.worker.like_6_1,
                                     .wake_fd = wake_.get()},
                core_, parts_.counters);
  if (auto ready = loop_->set_up(); !ready) {
    error_ = ready.error();
    end_ = End::Unwelcome;
    return;
  }
  serve();
  loop_->shut_down();
}

void ClientSession::serve() {
  while (!end_) {
    loop_->turn();
    look_after_device();
    take_hints();
    take_signals();
    turn_prompts();
    take_addresses();
    look_at_network();
    while (const auto event = core_.poll_event()) {
      std::visit([this](const auto& what) { handle(what); }, *event);
    }
  }
}

void ClientSession::look_after_device() {
  if (!device_ || leaving_) return;
  if (const auto done = device_->turn(); !done) {
    error_ = done.error();
    leave(End::Unwelcome);
  }
}

/// What ICMP says of the path to the server. A turn takes a second at most, which is soon enough.
void ClientSession::take_hints() {
  if (!icmp_) return;
  for (unsigned i = 0; i < kHintsPerTurn; ++i) {
    const std::optional<IcmpHint> hint = icmp_->take();
    if (!hint) return;
    if (hint->to == server_ && hint->from.port == connection_.socket.sockets.front().local().port) {
      core_.note_hint(hint->mtu, read_clocks());
    }
  }
}

void ClientSession::handle(const ClientConnected& event) { look_up_and_set_up(event.push); }

void ClientSession::handle(const ClientReconfigured& event) {
  log::info("the server has changed what it pushes");
  look_up_and_set_up(event.push);
}

void ClientSession::look_up_and_set_up(const PushReply& push) {
  if (leaving_) return;
  look_up_.reset();
  const auto wanted = filter_push(push, parts_.config);
  // What the filter rejects is said when the device is made.
  if (!wanted || route_hosts(*wanted, parts_.config).empty()) return set_up(push, {});
  look_up_hosts(*wanted);
}

/// The resolver may be slow, and the connection is to live meanwhile.
void ClientSession::look_up_hosts(const PushReply& push) {
  look_up_.emplace(
      LookUp{.push = push, .hosts = {}, .open = 0, .give_up = monotonic_now() + kLookUpMax});
  for (const std::string& host : route_hosts(push, parts_.config)) {
    look_up_->hosts.try_emplace(host);
    if (parts_.queries.ask(host, ConnectRace::Family::V4)) ++look_up_->open;
  }
  std::vector<pollfd> waiting;
  parts_.queries.add_to(waiting);
  for (const pollfd& answer : waiting) watch(answer.fd);
}

void ClientSession::take_addresses() {
  if (!look_up_ || leaving_) return;
  while (const auto answer = parts_.queries.take()) {
    const auto wanted = look_up_->hosts.find(answer->host);
    if (wanted == look_up_->hosts.end() || answer->family != ConnectRace::Family::V4) continue;
    for (const Endpoint& found : answer->addresses) wanted->second.push_back(found.address);
    if (look_up_->open > 0) --look_up_->open;
  }
  if (look_up_->open > 0 && monotonic_now() < look_up_->give_up) return;
  const LookUp done = *std::exchange(look_up_, std::nullopt);
  set_up(done.push, done.hosts);
}

void ClientSession::set_up(const PushReply& push, const HostAddresses& hosts) {
  const Result<void> ready = set_up_device(push, hosts);
  if (ready) {
    was_connected_ = true;
    challenge_.reset();
    parts_.login.plan().note_used();
    return;
  }
  error_ = ready.error();
  leave(End::Unwelcome);
}

Result<void> ClientSession::set_up_device(const PushReply& push, const HostAddresses& hosts) {
  const auto wanted = filter_push(push, parts_.config);
  if (!wanted) return std::unexpected(wanted.error());
  const auto network = ClientNetwork::make(*wanted, parts_.config, server_, hosts);
  if (!network) return std::unexpected(network.error());
  for (const std::string& note : network->notes) log::info("{}", log::escape(note));
  if (was_connected_) return change_device(*network);
  if (auto opened = open_device(*network); !opened) return opened;

  const LinkSettings& link = network->link;
  loop_->attach({.fd = device_->fd(), .mtu = link.mtu, .offloads = device_->offloads()});
  log::info(
      "connected: {} on {}, MTU {}, {} route{}, {}, server {}, after {} ms", address_line(link),
      device_->name(), link.mtu, device_->route_count(), device_->route_count() == 1 ? "" : "s",
      log::escape(find_option(push, "cipher").value_or("")), server_.to_string(),
      std::chrono::duration_cast<std::chrono::milliseconds>(monotonic_now() - connection_.begun)
          .count());
  return {};
}

Result<void> ClientSession::change_device(const ClientNetwork& network) {
  const Result<bool> changed = device_->change(network);
  if (!changed) return std::unexpected(changed.error());
  if (*changed) {
    log::info("{}: has {} route{} now", device_->name(), device_->route_count(),
              device_->route_count() == 1 ? "" : "s");
    return {};
  }
  log::info("{}: other addresses or another MTU take another device: connecting anew",
            device_->name());
  leave(End::AgainNow);
  return {};
}

Result<void> ClientSession::open_device(const ClientNetwork& network) {
  if (device_ && device_->network().is_same_as(network)) {
    log::info("{}: kept, as the server pushes the same again", device_->name());
    return device_->resume(server_);
  }
  device_.reset();
  Result<ClientDevice> opened = ClientDevice::open({.name = parts_.config.tunnel.device,
                                                    .offloads = parts_.offloads.tun,
                                                    .server = server_,
                                                    .config = parts_.config,
                                                    .journal = parts_.journal},
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
      said_ = event.reason;
      end_ = End::Refused;
      return;
    case Cause::ServerHalt:
      error_ = {.what = "the server tells us to stop: " + reason,
                .where = server_.to_string(),
                .advice = "ask its operator why"};
      end_ = End::Unwelcome;
      return;
    case Cause::Left: end_ = End::Stopped; return;
    case Cause::Over:
      log::info("{}: {}: stopping", server_.to_string(), reason);
      end_ = End::Stopped;
      return;
    case Cause::ServerRestart: said_ = event.reason; [[fallthrough]];
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

void ClientSession::handle(const ClientTimeIsUp& event) {
  log::info("{}: stopping", event.reason);
  leave(End::Stopped);
}

void ClientSession::take_signals() {
  while (const auto wish = take_wish(parts_, &core_)) {
    if (*wish == SignalWish::Anew) {
      leave(End::AgainNow);
    } else if (leaving_ == End::Stopped) {
      log::info("second signal: stopping at once");
      end_ = End::Stopped;
    } else {
      leave(End::Stopped);
    }
  }
}

/// Where the address is gone to which the server sends, nothing will come any more: that need not
/// be waited for (ping-restart). One that comes back at once, as when DHCP renews it, is no loss.
void ClientSession::look_at_network() {
  const Instant now = monotonic_now();
  if (!connection_.local || now < looked_at_ + kLookInterval || leaving_) return;
  looked_at_ = now;
  if (parts_.network.take().lost) network_has_lost_ = true;
  if (!network_has_lost_) return;
  const Endpoint own{.address = *connection_.local, .port = 0, .scope_id = server_.scope_id};
  if (has_address(own)) {
    network_has_lost_ = false;
    gone_since_.reset();
  } else if (!gone_since_) {
    gone_since_ = now;
  } else if (now >= *gone_since_ + kGoneForGood) {
    log::info("our address {} is gone: connecting anew", own.address.to_string());
    end_ = End::AgainNow;
  }
}

void ClientSession::leave(End then) {
  if (leaving_ != End::Stopped) leaving_ = then;
  core_.leave(read_clocks());
}

}  // namespace ringway
