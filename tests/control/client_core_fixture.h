#pragma once

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/client_core.h"
#include "tests/control/server_by_hand.h"
#include "tests/support/seeded_random.h"

namespace ringway::test {

inline constexpr Now kStart{.instant = {1000s}, .wall = {1'750'000'000}};

/// A ClientCore and its server by hand, joined by a wire that loses nothing, in virtual time.
class ClientCoreTest : public testing::Test {
 protected:
  /// Hands datagrams to and fro until neither end has more to say.
  void exchange() {
    bool talking = true;
    while (talking) {
      talking = false;
      while (const auto datagram = client_.poll_transmit(scratch_, now_)) {
        std::vector<std::uint8_t> copy(datagram->begin(), datagram->end());
        server_.handle_datagram(copy, now_);
        talking = true;
      }
      while (auto datagram = server_.poll_transmit(now_)) {
        (void)client_.handle_datagram(*datagram, now_);
        talking = true;
      }
    }
    while (auto event = client_.poll_event()) events_.push_back(std::move(*event));
  }

  void pass(Duration time) {
    now_.instant = now_.instant + time;
    client_.handle_timeout(now_);
    exchange();
  }

  template <typename Event>
  const Event* last() {
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (const auto* found = std::get_if<Event>(&*event)) return found;
    }
    return nullptr;
  }

  Now now_ = kStart;
  ServerByHand server_{kStart.wall};
  TlsWrap wrap_;
  TlsContext tls_ = make_tls(Side::Client, kStart.wall);
  SeededRandom random_{1};
  ClientSettings settings_;
  ClientCore client_{settings_, wrap_, tls_, random_, now_};
  std::array<std::uint8_t, 2048> scratch_{};
  std::vector<ClientEvent> events_;
};

}  // namespace ringway::test
