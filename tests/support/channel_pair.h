#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "control/channel/control_channel.h"
#include "dataplane/admission/handshake_cookie.h"
#include "dataplane/admission/handshake_gate.h"
#include "tests/support/channel_pair_setup.h"
#include "tests/support/seeded_random.h"

/// A server's and a client's ControlChannel over a simulated link, in virtual time.
namespace ringway::test {

class ChannelPair {
 public:
  /// Sees each datagram before the link does; may change it. False: it is lost.
  using Tap = std::function<bool(Side sender, std::vector<std::uint8_t>& datagram)>;

  explicit ChannelPair(ChannelPairSetup setup)
      : setup_(std::move(setup)),
        random_(setup_.seed),
        dice_(setup_.seed + 1),
        server_tls_(make_context(Side::Server, setup_.server_tls)),
        client_tls_(make_context(Side::Client, setup_.client_tls)),
        cookie_(random_, setup_.server.hand_window),
        gate_(setup_.server_wrap, cookie_, {}) {
    client_.emplace(
        ControlChannel::connect(setup_.client, setup_.client_wrap, client_tls_, random_, now_));
    drain();
  }

  ChannelPair(const ChannelPair&) = delete;
  ChannelPair& operator=(const ChannelPair&) = delete;

  void run_for(Duration duration) {
    run_until([] { return false; }, duration);
  }
  /// True when `done` came true within `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit) {
    const Instant end = now_.instant + limit;
    while (!done()) {
      const std::optional<Instant> next = next_step();
      if (!next || *next > end) {
        advance_to(end);
        return done();
      }
      advance_to(*next);
      step();
    }
    return true;
  }
  bool connect(Duration limit = 60s) {
    return run_until([&] { return is_connected(); }, limit);
  }
  /// Both ends have the keys of the first negotiation, or of as many as asked for.
  [[nodiscard]] bool is_connected(std::size_t negotiations = 1) const {
    return count<KeysReady>(Side::Server) >= negotiations &&
           count<KeysReady>(Side::Client) >= negotiations;
  }

  [[nodiscard]] ControlChannel& client() { return *client_; }
  [[nodiscard]] ControlChannel& server() { return *server_; }
  [[nodiscard]] bool has_server() const { return server_.has_value(); }
  [[nodiscard]] Now now() const { return now_; }
  [[nodiscard]] TlsContext& server_tls() { return server_tls_; }
  [[nodiscard]] TlsContext& client_tls() { return client_tls_; }
  void tap(Tap tap) { tap_ = std::move(tap); }
  ChannelPairSetup& setup() { return setup_; }
  /// Puts a datagram on the link by hand.
  void inject(Side sender, std::vector<std::uint8_t> datagram) {
    in_flight_.push_back({now_.instant + setup_.delay, sender, std::move(datagram)});
  }
  /// Takes what the ends have to say; call after using client() or server() directly.
  void drain() {
    drain(Side::Client);
    drain(Side::Server);
  }

  template <typename Event>
  [[nodiscard]] std::size_t count(Side side) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events(side), [](const auto& event) { return std::holds_alternative<Event>(event); }));
  }
  /// The newest event of its kind; null when there was none.
  template <typename Event>
  [[nodiscard]] const Event* last(Side side) const {
    const Event* found = nullptr;
    for (const ControlEvent& event : events(side)) {
      if (const auto* match = std::get_if<Event>(&event)) found = match;
    }
    return found;
  }
  [[nodiscard]] const std::deque<ControlEvent>& events(Side side) const {
    return side == Side::Server ? server_events_ : client_events_;
  }

 private:
  struct InFlight {
    Instant arrives;
    Side sender;
    std::vector<std::uint8_t> datagram;
  };

  [[nodiscard]] std::optional<Instant> next_step() const {
    std::optional<Instant> next = client_->poll_timeout();
    const auto keep = [&](std::optional<Instant> other) {
      if (other && (!next || *other < *next)) next = other;
    };
    if (server_) keep(server_->poll_timeout());
    for (const InFlight& packet : in_flight_) keep(packet.arrives);
    return next;
  }

  void advance_to(Instant instant) {
    if (instant <= now_.instant) return;
    idle_steps_ = 0;
    now_.instant = instant;
    now_.wall.seconds =
        kTestDay.seconds +
        std::chrono::duration_cast<std::chrono::seconds>(instant.since_start).count();
  }

  void step() {
    // A deadline that stays in the past would spin a real server.
    RW_ASSERT(++idle_steps_ < 10'000);
    const auto due = std::ranges::find_if(
        in_flight_, [&](const InFlight& packet) { return packet.arrives <= now_.instant; });
    if (due != in_flight_.end()) {
      InFlight packet = std::move(*due);
      in_flight_.erase(due);
      deliver(packet);
    } else {
      client_->handle_timeout(now_);
      if (server_) server_->handle_timeout(now_);
    }
    drain();
  }

  void deliver(const InFlight& packet) {
    if (packet.sender == Side::Server) {
      client_->handle_datagram(packet.datagram, now_);
    } else if (server_) {
      server_->handle_datagram(packet.datagram, now_);
    } else {
      knock(packet.datagram);
    }
  }

  void knock(const std::vector<std::uint8_t>& datagram) {
    std::vector<std::uint8_t> scratch(HandshakeGate::kDatagramSizeMax);
    GateVerdict verdict = gate_.handle_datagram(datagram, LinkEndpoint{}, now_, scratch);
    if (const auto* reply = std::get_if<GateReply>(&verdict)) {
      send(Side::Server, {reply->datagram.begin(), reply->datagram.end()});
    } else if (auto* proven = std::get_if<GateProven>(&verdict)) {
      server_.emplace(ControlChannel::accept(setup_.server, setup_.server_wrap, server_tls_,
                                             random_, std::move(*proven), now_));
      server_->handle_datagram(datagram, now_);
    } else if (auto* unproven = std::get_if<GateUnproven>(&verdict)) {
      server_.emplace(ControlChannel::accept_unproven(setup_.server, server_tls_, random_,
                                                      std::move(*unproven), now_));
      server_->handle_datagram(datagram, now_);
    }
  }

  void drain(Side side) {
    if (side == Side::Server && !server_) return;
    ControlChannel& channel = side == Side::Server ? *server_ : *client_;
    while (auto event = channel.poll_event()) {
      react(side, *event);
      (side == Side::Server ? server_events_ : client_events_).push_back(std::move(*event));
    }
    std::vector<std::uint8_t> scratch(ControlChannel::kDatagramSizeMax);
    while (const auto datagram = channel.poll_transmit(scratch, now_)) {
      send(side, {datagram->begin(), datagram->end()});
    }
  }

  void react(Side side, const ControlEvent& event) {
    if (side == Side::Client) {
      if (std::holds_alternative<PushReceived>(event)) client_->apply_push(setup_.admission, now_);
      return;
    }
    if (!setup_.admits) return;
    if (std::holds_alternative<AuthRequested>(event)) server_->admit(setup_.admission, now_);
    if (std::holds_alternative<ControlActive>(event)) server_->send_push_reply(setup_.push, now_);
  }

  void send(Side sender, std::vector<std::uint8_t> datagram) {
    if (tap_ && !tap_(sender, datagram)) return;
    const int copies = dice_.happens(setup_.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (dice_.happens(setup_.loss)) continue;
      Duration delay = setup_.delay;
      if (setup_.jitter > Duration{0}) {
        delay += Duration{static_cast<std::int64_t>(
            dice_.next() % static_cast<std::uint64_t>(setup_.jitter.count()))};
      }
      in_flight_.push_back({now_.instant + delay, sender, datagram});
    }
  }

  ChannelPairSetup setup_;
  SeededRandom random_;
  SeededRandom dice_;
  TlsContext server_tls_;
  TlsContext client_tls_;
  HandshakeCookie cookie_;
  HandshakeGate gate_;
  Now now_{.instant = {1000s}, .wall = {kTestDay.seconds + 1000}};
  std::optional<ControlChannel> client_;
  std::optional<ControlChannel> server_;
  std::deque<ControlEvent> client_events_;
  std::deque<ControlEvent> server_events_;
  std::vector<InFlight> in_flight_;
  Tap tap_;
  int idle_steps_ = 0;
};

}  // namespace ringway::test
