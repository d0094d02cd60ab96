#include "tests/sim/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "tests/sim/openssl_dice.h"
#include "tests/support/certificates.h"
#include "tun/ip_packet.h"

namespace ringway::sim {
namespace {

constexpr std::uint16_t kFirstClientPort = 40000;
constexpr Instant kStart{1000s};
constexpr UnixTime kWallStart{1'750'000'000};
constexpr std::uint16_t kServerPort = 1194;
constexpr int kTurnsAtOnceMax = 1000;

UnixTime wall_at(Instant instant) { return {kWallStart.seconds + (instant - kStart) / 1s}; }

TlsContext make_tls(Side side, std::string_view certificate, std::string_view key) {
  const TlsMaterial material{.ca_pem = std::string(test::kCaPem),
                             .cert_pem = std::string(certificate),
                             .key_pem = std::string(key)};
  auto context = TlsContext::make(side, material, kWallStart);
  RW_ASSERT(context.has_value());
  return std::move(*context);
}

TlsWrap make_wrap(WrapMode mode, Side side) {
  std::array<std::uint8_t, StaticKey::kSize> raw;
  test::SeededRandom(99).fill(raw);
  const StaticKey key = StaticKey::from_bytes(raw);
  switch (mode) {
    case WrapMode::None: break;
    case WrapMode::TlsAuth:
      return TlsWrap(TlsAuth(key, side == Side::Server ? 0 : 1, Digest::Sha256));
    case WrapMode::TlsCrypt: return TlsWrap(TlsCrypt(key, side));
  }
  return TlsWrap();
}

/// The client that connects from there, as long as it has not moved.
std::string own_lines(const LinkEndpoint& from) {
  const Prefix network = World::network_behind(from.remote.port - kFirstClientPort);
  return "iroute " + network.address.to_string() + " " + network.netmask_text() + "\n";
}

ServerConfig make_config(const WorldSettings& settings) {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.8.0.0/16");
  config.timers.hand_window = settings.hand_window;
  config.timers.tran_window = settings.tran_window;
  config.timers.renegotiate = settings.server_renegotiates;
  config.timers.renegotiate_bytes = settings.renegotiate_bytes;
  config.timers.renegotiate_packets = settings.server_renegotiates_packets;
  config.timers.ping = settings.ping_interval;
  config.timers.ping_restart = 2 * settings.ping_restart;
  config.push = {"ping " + std::to_string(settings.ping_interval / 1s),
                 "ping-restart " + std::to_string(settings.ping_restart / 1s)};
  config.data_ciphers = {settings.cipher};
  // Many clients carry the same certificate.
  config.duplicate_cn = true;
  config.client_to_client = settings.client_to_client;
  config.explicit_exit_notify = settings.explicit_exit_notify;
  if (settings.networks_behind) config.client_config_directory = "own lines";
  return config;
}

bool has_epochs(const WorldSettings& settings) {
  return settings.cc_exit && settings.epochs.value_or(settings.seed % 2 == 0);
}

ClientSettings make_client_settings(const WorldSettings& settings) {
  ClientSettings client;
  client.channel.side = Side::Client;
  client.channel.hand_window = settings.hand_window;
  client.channel.tran_window = settings.tran_window;
  client.channel.renegotiate = settings.client_renegotiates;
  client.renegotiate_packets = settings.client_renegotiates_packets;
  client.renegotiate_bytes = settings.client_renegotiates_bytes;
  client.path = PathKind::Searched;
  client.server = {.address = IpAddress::v4(0xc6336401), .port = kServerPort};
  client.key_limits = settings.key_limits;
  if (!settings.cc_exit) {
    client.channel.peer_info.set("IV_PROTO", "14");
  } else if (!has_epochs(settings)) {
    client.channel.peer_info.set("IV_PROTO", "670");  // As of ClientCore, without the epochs.
  }
  return client;
}

}  // namespace

World::World(const WorldSettings& settings)
    : settings_(settings),
      config_(make_config(settings)),
      client_settings_(make_client_settings(settings)),
      log_(settings.seed),
      now_{kStart, kWallStart},
      network_(settings.network, settings.seed),
      nonces_(server_endpoint(), has_epochs(settings)),
      server_wrap_(make_wrap(settings.wrap, Side::Server)),
      client_wrap_(make_wrap(settings.wrap, Side::Client)),
      server_tls_(make_tls(Side::Server, test::kServerCertPem, test::kServerKeyPem)),
      client_tls_(make_tls(Side::Client, test::kClientCertPem, test::kClientKeyPem)),
      other_client_tls_(
          make_tls(Side::Client, test::kOtherClientCertPem, test::kOtherClientKeyPem)) {
  seed_openssl(settings.seed);
  client_clocks_ahead_.resize(settings.clients);
  server_ = std::make_unique<SimServer>(
      SimServer::Setup{.config = config_,
                       .wrap = server_wrap_,
                       .tls = server_tls_,
                       .worker_count = settings.workers,
                       .seed = settings.seed,
                       .key_limits = settings.key_limits,
                       .command_delay = settings.command_delay,
                       .own_lines = own_lines},
      SimServer::Outputs{
          .link = [this](const LinkEndpoint& to,
                         Bytes datagram) { send_on_link(server_endpoint(), to.remote, datagram); },
          .tun = [this](Bytes packet) { note_at_server(packet); }},
      log_, now_);
  for (std::size_t index = 0; index < settings.clients; ++index) {
    clients_.push_back(make_client(index));
  }
}

Prefix World::network_behind(std::size_t client) {
  return {.address = IpAddress::v4(0xc0a80000u + static_cast<std::uint32_t>(client) * 256),
          .length = 24};
}

std::unique_ptr<SimClient> World::make_client(std::size_t index) {
  const auto number = static_cast<std::uint32_t>(index);
  return std::make_unique<SimClient>(
      SimClient::Setup{
          .settings = client_settings_,
          .wrap = client_wrap_,
          .tls = settings_.two_certificates && index % 2 == 1 ? other_client_tls_ : client_tls_,
          .endpoint = {IpAddress::v4(0xc0000201u + number / 4),
                       static_cast<std::uint16_t>(kFirstClientPort + number), 0},
          .seed = settings_.seed * 1000 + clients_made_++},
      SimClient::Outputs{
          .link = [this](const Endpoint& from,
                         Bytes datagram) { send_on_link(from, server_endpoint(), datagram); },
          .tun = [this](const SimClient& client, Bytes packet) { note_at_client(client, packet); }},
      log_, client_now(index));
}

bool World::uses_epochs() const { return has_epochs(settings_); }

void World::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

bool World::run_until(const std::function<bool()>& holds, Duration limit) {
  const Instant until = now_.instant + limit;
  while (!holds()) {
    if (now_.instant >= until) return false;
    step(until);
  }
  return true;
}

void World::set_traffic_interval(Duration interval) {
  traffic_interval_ = interval;
  traffic_due_ = now_.instant + interval;
}

void World::renegotiate(std::size_t client) { clients_[client]->renegotiate(client_now(client)); }
void World::leave(std::size_t client) { clients_[client]->leave(client_now(client)); }

void World::restart(std::size_t client) {
  log_.add(now_.instant, "{} starts again", clients_[client]->endpoint().to_string());
  clients_[client] = make_client(client);
}

void World::move(std::size_t client, const Endpoint& there) {
  log_.add(now_.instant, "{} moves to {}", clients_[client]->endpoint().to_string(),
           there.to_string());
  clients_[client]->move(there);
}

bool World::all_connected() const {
  return std::ranges::all_of(clients_, [](const auto& client) { return client->is_connected(); });
}

Endpoint World::server_endpoint() const {
  return {*IpAddress::parse("198.51.100.1"), kServerPort, 0};
}

LinkEndpoint World::link_from(const Endpoint& client) {
  return {.remote = client, .local = *IpAddress::parse("198.51.100.1"), .listener = 0};
}

IpAddress World::server_address() const { return config_.tunnel.network_v4->address.plus(1); }

/// To the next thing that happens anywhere, but not beyond `until`.
void World::step(Instant until) {
  const auto next = next_event();
  watch_for_spinning(next);
  now_.instant = std::max(now_.instant, std::min(next.value_or(until), until));
  now_.wall = wall_at(now_.instant);
  deliver_arrivals();
  fire_timeouts();
  make_traffic();
  if (invariant_) invariant_();
}

Now World::server_now() const { return {now_.instant, {now_.wall.seconds + server_clock_ahead_}}; }

Now World::client_now(std::size_t client) const {
  return {now_.instant, {now_.wall.seconds + client_clocks_ahead_[client]}};
}

std::optional<Instant> World::next_event() const {
  std::optional<Instant> next = network_.next_arrival();
  const auto consider = [&](std::optional<Instant> candidate) {
    if (candidate && (!next || *candidate < *next)) next = candidate;
  };
  consider(server_->poll_timeout());
  for (const auto& client : clients_) consider(client->poll_timeout());
  if (traffic_interval_ > Duration{0}) consider(traffic_due_);
  return next;
}

/// A core that goes on asking for the present would have its shell turn in circles.
void World::watch_for_spinning(std::optional<Instant> next) {
  turns_at_once_ = next && *next <= now_.instant ? turns_at_once_ + 1 : 0;
  if (turns_at_once_ < kTurnsAtOnceMax) return;
  ADD_FAILURE() << "a core asks again and again to be called at once" << trace();
  now_.instant = now_.instant + 1s;
  turns_at_once_ = 0;
}

void World::deliver_arrivals() {
  while (auto datagram = network_.poll_arrival(now_.instant)) {
    if (datagram->to == server_endpoint()) {
      server_->handle_datagram(datagram->bytes, link_from(datagram->from), server_now());
    } else if (const auto client = client_at(datagram->to)) {
      clients_[*client]->handle_datagram(datagram->bytes, client_now(*client));
    }
  }
}

void World::fire_timeouts() {
  const auto is_due = [&](std::optional<Instant> deadline) {
    return deadline && *deadline <= now_.instant;
  };
  if (is_due(server_->poll_timeout())) server_->handle_timeout(server_now());
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (is_due(clients_[i]->poll_timeout())) clients_[i]->handle_timeout(client_now(i));
  }
}

void World::make_traffic() {
  if (traffic_interval_ == Duration{0} || now_.instant < traffic_due_) return;
  traffic_due_ = now_.instant + traffic_interval_;
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    const SimClient& client = *clients_[index];
    const auto address = client.inner_address();
    if (!client.is_connected() || !address) continue;
    std::vector<IpAddress> ends = {*address};
    if (settings_.networks_behind) ends.push_back(network_behind(index).address.plus(7));
    for (const IpAddress& end : ends) {
      send_from_client(index, {.source = end, .destination = server_address()});
      const auto packet =
          ledger_.make({.source = server_address(), .destination = end}, now_.instant);
      server_->handle_packet(packet, server_now());
    }
  }
}

void World::send_from_client(std::size_t index, PacketLedger::Route route) {
  route.owned = clients_[index]->inner_address();
  if (settings_.networks_behind) route.network_behind = network_behind(index);
  const auto packet = ledger_.make(route, now_.instant);
  if (!clients_[index]->handle_packet(packet, client_now(index))) ledger_.withdraw(packet);
}

void World::send_on_link(const Endpoint& from, const Endpoint& to, Bytes datagram) {
  expect_nothing(nonces_.note_sent(from, to, datagram));
  network_.send(from, to, datagram, now_.instant);
}

void World::note_at_server(Bytes packet) {
  expect_nothing(ledger_.note_delivered(packet, now_.instant));
}

bool World::is_at(const SimClient& client, const IpAddress& address) const {
  if (address == client.inner_address()) return true;
  if (!settings_.networks_behind) return false;
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    if (clients_[index].get() == &client) return network_behind(index).contains(address);
  }
  return false;
}

void World::note_at_client(const SimClient& client, Bytes packet) {
  const auto parsed = parse_ip_packet(packet);
  // A probe of the path, for a host that answers pings; there is none here.
  if (parsed && parsed->protocol == 1) return;
  if (!parsed || !is_at(client, parsed->destination())) {
    expect_nothing("a client got a packet for somebody else");
  }
  expect_nothing(ledger_.note_delivered(packet, now_.instant));
}

void World::expect_nothing(const std::optional<std::string>& fault) {
  if (fault) ADD_FAILURE() << *fault << trace();
}

std::optional<std::size_t> World::client_at(const Endpoint& endpoint) const {
  const auto found =
      std::ranges::find(clients_, endpoint, [](const auto& client) { return client->endpoint(); });
  if (found == clients_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - clients_.begin());
}

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* seed = std::getenv("RINGWAY_SEED")) {
    return {std::strtoull(seed, nullptr, 10)};
  }
  const char* volume = std::getenv("RINGWAY_VOLUME");
  if (volume != nullptr) count *= std::strtoull(volume, nullptr, 10);
  std::vector<std::uint64_t> all(count);
  for (std::uint64_t i = 0; i < count; ++i) all[i] = i + 1;
  return all;
}

}  // namespace ringway::sim
