#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "control/control_plane.h"
#include "control/session_terms.h"
#include "dataplane/datapath.h"
#include "dataplane/martian.h"
#include "tests/dataplane/tun_side.h"
#include "tests/fuzz/question_clerk.h"
#include "tests/fuzz/server_fixture.h"
#include "tun/ip_packet.h"

namespace ringway::fuzz {

/// A whole server without its sockets and programs: a ControlPlane, two Datapaths and a clerk,
/// joined as the shells join them. Asserts what fuzz_server.cc promises.
class FuzzedServer {
 public:
  struct Outputs {
    std::function<void(const LinkEndpoint& to, Bytes datagram)> link;
    /// It is no more, and nothing comes over it or goes over it.
    std::function<void(const LinkEndpoint& connection)> ended;
  };

  FuzzedServer(std::uint8_t bits, RandomSource& random, Outputs outputs, Now now)
      : config_(server_config(bits)),
        clerk_(config_),
        plane_(config_, fixture().wrap, fixture().server_tls, random, kWorkers, {}, now),
        outputs_(std::move(outputs)) {
    for (std::uint16_t i = 0; i < kWorkers; ++i) {
      DatapathSettings settings{.self = {i}, .worker_count = kWorkers, .sessions_max = 16};
      settings.pool_v4 = config_.tunnel.network_v4;
      settings.own_v4 = settings.pool_v4->address.plus(1);
      settings.admission = admission_settings(config_, fixture().wrap);
      workers_.push_back(std::make_unique<Datapath>(settings));
    }
    pump(now);
  }

  [[nodiscard]] ControlPlane& plane() { return plane_; }
  [[nodiscard]] QuestionClerk& clerk() { return clerk_; }
  [[nodiscard]] const Places& places() const { return places_; }

  Verdict::Way handle_datagram(std::vector<std::uint8_t>& bytes, const LinkEndpoint& from,
                               Now now) {
    using Way = Verdict::Way;
    const std::vector<std::uint8_t> as_it_came = bytes;
    const std::size_t first =
        from.is_tcp() ? owner_of(from.connection, kWorkers).value : bytes.size() % kWorkers;
    Verdict verdict = worker_hears(first, bytes, from, now);
    if (verdict.way == Way::Worker) verdict = worker_hears(verdict.worker.value, bytes, from, now);
    const bool is_control = verdict.way == Way::Control || verdict.way == Way::Newcomer;
    if (is_control) plane_.handle_datagram(as_it_came, from, now);
    if (verdict.way == Way::Tun) judge_inner(verdict.packet);
    serve_workers(now);
    return verdict.way;
  }

  void handle_packet(Bytes packet, Now now) {
    std::array<std::uint8_t, 2048> out;
    for (std::uint16_t i = 0; i < kWorkers; ++i) {
      const Verdict verdict = test::seal_for_peer(*workers_[i], {i}, packet, out, now.instant);
      if (verdict.way == Verdict::Way::Link) outputs_.link(verdict.endpoint, verdict.packet);
    }
  }

  /// The workers' own deadlines only where they have come, unless `all`.
  void handle_timeout(Now now, bool all = false) {
    for (const auto& worker : workers_) {
      if (all || worker->poll_timeout() <= now.instant) worker->handle_timeout(now.instant);
    }
    serve_workers(now);
    plane_.handle_timeout(now);
    pump(now);
  }

  void end_connection(const LinkEndpoint& connection, Now now) {
    forget_connection(connection, now);
    pump(now);
  }

  /// What the plane has to say, until it has nothing more.
  void pump(Now now) {
    do {
      clerk_.serve(plane_, now);
      while (auto addressed = plane_.poll_command()) {
        workers_[addressed->worker.value]->handle_command(std::move(addressed->command),
                                                          now.instant);
      }
      pump_datagrams(now);
      while (plane_.poll_event()) {
      }
    } while (close_connections(now));
  }

  void check() const {
    const auto sizes = plane_.table_sizes();
    RW_ASSERT(sizes.channels == sizes.endpoints);
    RW_ASSERT(sizes.leases <= sizes.channels);
    RW_ASSERT(plane_.half_open_count() <= sizes.channels);
    const std::vector<ClientSummary> clients = plane_.clients();
    RW_ASSERT(clients.size() <= config_.clients_max);
    // Where a program forbids to lead an address to the client that has it, another may be given
    // it.
    if (config_.programs.learn.is_set()) return;
    std::set<IpAddress> leased;
    for (const ClientSummary& client : clients) {
      RW_ASSERT(!client.address_v4 || leased.insert(*client.address_v4).second);
    }
  }

  void check_empty() const {
    RW_ASSERT(clerk_.open_count() == 0);
    RW_ASSERT(plane_.table_sizes().channels == 0);
    RW_ASSERT(plane_.table_sizes().leases == 0);
    RW_ASSERT(plane_.table_sizes().questions == 0);
    for (const auto& worker : workers_) RW_ASSERT(worker->session_count() == 0);
  }

 private:
  Verdict worker_hears(std::size_t worker, MutableBytes bytes, const LinkEndpoint& from, Now now) {
    workers_[worker]->set_wall(now.wall);
    const Verdict verdict = workers_[worker]->handle_datagram(bytes, from, now.instant);
    if (verdict.way == Verdict::Way::Link) outputs_.link(verdict.endpoint, verdict.packet);
    return verdict;
  }

  void judge_inner(Bytes packet) const {
    const auto ip = parse_ip_packet(packet);
    RW_ASSERT(ip.has_value());
    RW_ASSERT(!is_martian(ip->source()) && !is_martian(ip->destination()));
    RW_ASSERT(ip->source() != config_.tunnel.network_v4->address.plus(1));
    RW_ASSERT(std::ranges::any_of(plane_.clients(), [&](const ClientSummary& client) {
      const auto leads_there = [&](const Prefix& own) { return own.contains(ip->source()); };
      return client.address_v4 == ip->source() || client.address_v6 == ip->source() ||
             std::ranges::any_of(client.networks, leads_there);
    }));
  }

  void serve_workers(Now now) {
    std::array<std::uint8_t, 2048> scratch;
    for (const auto& worker : workers_) {
      while (const auto verdict = worker->poll_transmit(scratch, now.instant)) {
        outputs_.link(verdict->endpoint, verdict->packet);
      }
      while (const auto said = worker->poll_report()) plane_.handle_report(*said, now);
    }
    pump(now);
  }

  void pump_datagrams(Now now) {
    std::array<std::uint8_t, ControlPlane::kDatagramSizeMax> scratch;
    while (const auto datagram = plane_.poll_transmit(scratch, now)) {
      if (datagram->bytes.empty()) {
        closing_.push_back(datagram->to);
      } else {
        outputs_.link(datagram->to, datagram->bytes);
      }
    }
  }

  /// Those that the plane wants closed.
  bool close_connections(Now now) {
    if (closing_.empty()) return false;
    for (const LinkEndpoint& place : std::exchange(closing_, {})) forget_connection(place, now);
    return true;
  }

  void forget_connection(const LinkEndpoint& connection, Now now) {
    RW_ASSERT(connection.is_tcp());
    if (!places_.end(connection)) return;
    outputs_.ended(connection);
    plane_.handle_connection_ended(connection, now);
  }

  ServerConfig config_;
  QuestionClerk clerk_;
  ControlPlane plane_;
  std::vector<std::unique_ptr<Datapath>> workers_;
  Outputs outputs_;
  Places places_;
  std::vector<LinkEndpoint> closing_;
};

}  // namespace ringway::fuzz
