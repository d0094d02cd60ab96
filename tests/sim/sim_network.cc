#include "tests/sim/sim_network.h"

#include "base/opcode.h"

namespace ringway::sim {

void SimNetwork::send(const Endpoint& from, const Endpoint& to, Bytes bytes, Instant now) {
  Datagram datagram{.from = from, .to = to, .bytes = {bytes.begin(), bytes.end()}};
  if (!meddler_) return toss(datagram, now);
  for (const Datagram& meddled : meddler_(std::move(datagram))) toss(meddled, now);
}

std::optional<Instant> SimNetwork::next_arrival() const {
  if (in_flight_.empty()) return std::nullopt;
  return in_flight_.begin()->first.first;
}

std::optional<Datagram> SimNetwork::poll_arrival(Instant now) {
  const auto first = in_flight_.begin();
  if (first == in_flight_.end() || first->first.first > now) return std::nullopt;
  Datagram datagram = std::move(first->second);
  in_flight_.erase(first);
  return datagram;
}

void SimNetwork::toss(const Datagram& datagram, Instant now) {
  if (datagram.bytes.empty()) return;
  const bool carries_data = is_data(opcode_of(datagram.bytes.front()));
  if (!dice_.happens(carries_data ? settings_.data_loss : settings_.control_loss)) {
    carry(datagram, now);
  }
  if (dice_.happens(settings_.duplication)) carry(datagram, now);
}

void SimNetwork::carry(Datagram datagram, Instant now) {
  const auto spread =
      static_cast<std::uint64_t>((settings_.latency_max - settings_.latency_min).count() + 1);
  Duration latency =
      settings_.latency_min + Duration{static_cast<std::int64_t>(random_below(dice_, spread))};
  if (dice_.happens(settings_.reorder)) latency += settings_.reorder_delay;
  if (dice_.happens(settings_.corruption)) {
    const std::uint64_t bit = random_below(dice_, 8 * datagram.bytes.size());
    std::uint8_t& byte = datagram.bytes[bit / 8];
    byte = static_cast<std::uint8_t>(byte ^ (1u << bit % 8));
  }
  in_flight_.emplace(std::pair(now + latency, sent_++), std::move(datagram));
}

}  // namespace ringway::sim
