#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/link_streams.h"
#include "tests/dataplane/link_client.h"
#include "tests/dataplane/stream_client.h"

namespace ringway::test {

using Packet = std::vector<std::uint8_t>;

inline constexpr std::size_t kMax = 1500;

/// Connections of real clients on a real ring.
class LinkStreamsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    run("ip link set lo up");
    for (const char* address : {"192.0.2.1", "198.51.100.1"}) {
      add_loopback_address(ip(address));
    }
  }
  void start(std::size_t streams_max = 100, std::size_t half_open_max = 100) {
    set_up(streams_max, half_open_max);
    turn();
  }
  /// Accepts nothing before the first turn.
  void set_up(std::size_t streams_max = 100, std::size_t half_open_max = 100) {
    auto group = open_tcp_listeners({.port = 0}, 1);
    ASSERT_TRUE(group);
    listeners_ = std::move(group->listeners);
    ASSERT_TRUE(ring_.open({}));
    streams_.emplace(LinkStreams::Settings{.group = 2,
                                           .receive_budget = 1 << 20,
                                           .datagram_size_max = kMax,
                                           .self = {1},
                                           .worker_count = 3,
                                           .first_listener = 2,
                                           .streams_max = streams_max,
                                           .half_open_max = half_open_max,
                                           .hand_window = 60s},
                     listeners_, counters_);
    ASSERT_TRUE(streams_->open(ring_));
  }
  void TearDown() override {
    if (!streams_) return;
    ring_.drain([this](const Completion& done) {
      if (done.tag.operation != Operation::Cancel) streams_->reclaim(done);
    });
  }

  [[nodiscard]] Endpoint server(const char* address = "::1") const {
    return {ip(address), listeners_[0].local().port};
  }
  /// One turn of a loop that takes everything that comes.
  void turn(Duration wait = 0ms) {
    streams_->submit(ring_);
    RW_ASSERT(ring_.submit_and_wait(wait) == 0);
    std::array<Completion, 64> some;
    for (const Completion& done : std::span(some).first(ring_.collect(some))) {
      streams_->note(done, now_);
    }
    if (takes_) take_all();
    while (const LinkEndpoint* const ended = streams_->front_ended()) {
      ended_.push_back(*ended);
      streams_->pop_ended();
    }
  }
  void take_all() {
    while (streams_->begin_part()) {
      while (const auto datagram = streams_->next_datagram()) {
        received_.emplace_back(datagram->begin(), datagram->end());
        from_.push_back(streams_->from());
      }
      streams_->end_part(false);
    }
  }
  [[nodiscard]] bool until(const std::function<bool()>& done) {
    const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
    while (monotonic_now() < deadline) {
      if (done()) return true;
      turn(5ms);
    }
    return false;
  }
  /// A client that has said its first word.
  std::unique_ptr<StreamClient> greet(const char* address = "::1", int receive_buffer = 0) {
    auto client = std::make_unique<StreamClient>(server(address), receive_buffer);
    const std::size_t before = received_.size();
    client->send(client_reset());
    EXPECT_TRUE(until([&] { return received_.size() > before; }));
    return client;
  }
  [[nodiscard]] bool ends(StreamClient& client) {
    return until([&] { return client.has_ended(0); });
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return counters_.snapshot().of(counter);
  }

  std::vector<TcpListener> listeners_;
  Counters counters_;
  Ring ring_;
  std::optional<LinkStreams> streams_;
  Instant now_ = Instant{} + 1000s;
  bool takes_ = true;
  std::vector<Packet> received_;
  std::vector<LinkEndpoint> from_;
  std::vector<LinkEndpoint> ended_;
};

}  // namespace ringway::test
