#include "perf/src/wire/lab.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "base/secret.h"
#include "control/aead_start.h"
#include "control/config/config_files.h"
#include "perf/src/wire/download.h"
#include "perf/src/wire/upload.h"

namespace ringway::wire {
namespace {

constexpr std::string_view kServerV4 = "192.0.2.1";
constexpr std::string_view kServerV6 = "2001:db8::1";
constexpr std::string_view kFirstClientV4 = "198.18.0.1";
constexpr std::string_view kFirstClientV6 = "2001:db8:1::1";
constexpr std::string_view kClientsV4 = "198.18.0.0/15";
constexpr std::string_view kClientsV6 = "2001:db8:1::/64";
constexpr std::string_view kInnerAddress = "203.0.113.1";
constexpr std::string_view kInternet = "203.0.113.2";
/// Keys of a client: those of the data channel, and what TLS leaves behind.
constexpr std::size_t kSecretsPerClient = 32;
constexpr std::size_t kSchedulesPerClient = 18;
/// What sealing adds to a packet, and what fits behind the headers of IPv6 and UDP.
constexpr std::size_t kSealedMax = 24;
constexpr std::size_t kTrainBytesMax = 65535 - 48;

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  RW_ASSERT(parsed.has_value());
  return *parsed;
}

LinkRoute route(std::string_view text) {
  const auto parsed = Prefix::parse(text);
  RW_ASSERT(parsed.has_value());
  return {.destination = *parsed, .metric = {}};
}

Nic::Settings outer_settings(const LabSettings& settings) {
  return {.name = "outer0",
          .queue_count = settings.queues,
          .link = {.v4 = InterfaceAddress{.address = address(kServerV4), .prefix_length = 24},
                   .v6 = InterfaceAddress{.address = address(kServerV6), .prefix_length = 64},
                   .routes = {route(kClientsV4), route(kClientsV6)}}};
}

Nic::Settings inner_settings(const LabSettings& settings) {
  return {.name = "inner0",
          .queue_count = settings.queues,
          .link = {.v4 = InterfaceAddress{.address = address(kInnerAddress), .prefix_length = 24},
                   .v6 = {},
                   .routes = {}}};
}

}  // namespace

Result<Lab::Files> Lab::read_files(const LabSettings& settings) {
  TlsMaterial material;
  struct Wanted {
    const std::string& path;
    std::string& pem;
    std::string& where;
  };
  for (const Wanted& wanted : {Wanted{settings.ca_path, material.ca_pem, material.ca_where},
                               Wanted{settings.cert_path, material.cert_pem, material.cert_where},
                               Wanted{settings.key_path, material.key_pem, material.key_where}}) {
    Result<std::string> text = read_text_file(wanted.path);
    if (!text) return std::unexpected(text.error());
    wanted.pem = std::move(*text);
    wanted.where = wanted.path;
  }
  Result<TlsContext> tls = TlsContext::make(Side::Client, material, wall_now());
  if (!tls) return std::unexpected(tls.error());
  const Result<AeadChoice> aead = choose_aead(std::nullopt, std::array{settings.cipher});
  if (!aead) return std::unexpected(aead.error());
  auto engines = std::make_unique<AeadEngines>(*aead);
  ClientSettings client{.data_ciphers = {settings.cipher}, .engines = engines.get()};
  client.channel.side = Side::Client;
  client.channel.renegotiate = Duration{0};
  // As OpenVPN 2.6, which it is compared with: packets have the short format.
  client.channel.peer_info.set("IV_PROTO", "990");
  return Files{.tls = std::move(*tls), .engines = std::move(engines), .client = std::move(client)};
}

Result<std::unique_ptr<Lab>> Lab::make(const LabSettings& settings) {
  // Unlocked memory does for throw-away keys.
  (void)SecretArena::reserve(
      {.slots = SecretArena::kDefaultSlots + kSecretsPerClient * settings.clients,
       .key_schedules =
           SecretArena::kDefaultKeySchedules + kSchedulesPerClient * settings.clients});
  Result<Files> files = read_files(settings);
  if (!files) return std::unexpected(files.error());
  const bool v4 = settings.family == 4;
  FleetPlan plan{.client_count = settings.clients,
                 .first_address = address(v4 ? kFirstClientV4 : kFirstClientV6),
                 .server = {.address = address(v4 ? kServerV4 : kServerV6), .port = settings.port},
                 .plain_inner_address = {}};
  if (!settings.plain_address.empty()) {
    plan.plain_inner_address = IpAddress::parse(settings.plain_address);
    if (!plan.plain_inner_address) return fail("this is no address", settings.plain_address);
  }
  Result<Nic> outer = Nic::open(outer_settings(settings));
  if (!outer) return std::unexpected(outer.error());
  Result<Nic> inner = Nic::open(inner_settings(settings));
  if (!inner) return std::unexpected(inner.error());
  return std::unique_ptr<Lab>(
      new Lab(settings, plan, std::move(*files), std::move(*outer), std::move(*inner)));
}

Lab::Lab(const LabSettings& settings, const FleetPlan& plan, Files files, Nic outer, Nic inner)
    : names_{.outer = outer.name(), .inner = inner.name(), .server = settings.server_device},
      files_(std::move(files)),
      outer_(std::move(outer)),
      inner_(std::move(inner)),
      fleet_(plan, {.settings = files_.client, .wrap = wrap_, .tls = files_.tls}, outer_) {}

Result<RunResult> Lab::run(const RunPlan& plan) {
  if (plan.clients > fleet_.size()) {
    return fail(fmt::format("there are {} clients, not {}", fleet_.size(), plan.clients));
  }
  if (plan.train * (plan.packet_size + kSealedMax) > kTrainBytesMax) {
    return fail(fmt::format("{} packets of {} bytes do not fit into one super-packet", plan.train,
                            plan.packet_size));
  }
  const auto offloads = [](bool on) { return TunOffloads{.checksum = on, .tcp = on, .udp = on}; };
  if (auto set = outer_.set_offloads(offloads(plan.outer_offloads)); !set) {
    return std::unexpected(set.error());
  }
  if (auto set = inner_.set_offloads(offloads(plan.inner_offloads)); !set) {
    return std::unexpected(set.error());
  }
  const RunStart start{.internet = address(kInternet), .last_block = last_block_};
  const Cards cards{.outer = outer_, .inner = inner_};
  const DropPlaces before = read_drop_places(names_);
  RunResult result = plan.direction == RunPlan::Direction::Up
                         ? Upload(plan, start, fleet_, cards).run()
                         : Download(plan, start, fleet_, cards).run();
  last_block_ = result.last_block;
  result.drops = read_drop_places(names_).since(before);
  return result;
}

}  // namespace ringway::wire
