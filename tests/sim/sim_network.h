#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"
#include "tests/support/seeded_random.h"

namespace ringway::sim {

/// How bad the wire is. Chances are of 1.
struct NetworkSettings {
  Duration latency_min{20ms};
  Duration latency_max{30ms};
  double control_loss = 0;
  double data_loss = 0;
  double duplication = 0;
  /// A packet that is held back for reorder_delay.
  double reorder = 0;
  Duration reorder_delay{80ms};
  /// One flipped bit.
  double corruption = 0;
};

struct Datagram {
  Endpoint from;
  Endpoint to;
  std::vector<std::uint8_t> bytes;
};

/// A UDP network in virtual time: it delays, loses, repeats, reorders and corrupts, all by dice.
class SimNetwork {
 public:
  SimNetwork(const NetworkSettings& settings, std::uint64_t seed)
      : settings_(settings), dice_(seed) {}

  void send(const Endpoint& from, const Endpoint& to, Bytes bytes, Instant now);
  [[nodiscard]] std::optional<Instant> next_arrival() const;
  /// The datagrams that have arrived, in order.
  std::optional<Datagram> poll_arrival(Instant now);

  [[nodiscard]] NetworkSettings& settings() { return settings_; }
  /// Sees every datagram before the dice do; returns what is sent in its place.
  using Meddler = std::function<std::vector<Datagram>(Datagram)>;
  void set_meddler(Meddler meddler) { meddler_ = std::move(meddler); }

 private:
  void toss(const Datagram& datagram, Instant now);
  void carry(Datagram datagram, Instant now);

  NetworkSettings settings_;
  test::SeededRandom dice_;
  Meddler meddler_;
  /// By arrival, then by the order of sending.
  std::map<std::pair<Instant, std::uint64_t>, Datagram> in_flight_;
  std::uint64_t sent_ = 0;
};

}  // namespace ringway::sim
