#include "dataplane/half_open_list.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace ringway {

Prefix HalfOpenList::network_of(const IpAddress& address) {
  constexpr std::uint8_t kLengthV4 = 24;
  constexpr std::uint8_t kLengthV6 = 48;
  if (address.is_v4()) {
    return {.address = IpAddress::v4(address.v4_value() & 0xffff'ff00), .length = kLengthV4};
  }
  std::array<std::uint8_t, 16> bytes = address.bytes();
  std::fill(bytes.begin() + kLengthV6 / 8, bytes.end(), std::uint8_t{0});
  return {.address = IpAddress::v6(bytes), .length = kLengthV6};
}

void HalfOpenList::add(std::uint32_t slot, const IpAddress& from) {
  RW_ASSERT(!contains(slot));
  const auto network = networks_.try_emplace(network_of(from)).first;
  const auto turn =
      network->second.insert(network->second.end(), Turn{.slot = slot, .arrival = ++arrivals_});
  places_.emplace(slot, Place{.network = network, .turn = turn});
}

void HalfOpenList::remove(std::uint32_t slot) {
  const auto found = places_.find(slot);
  if (found == places_.end()) return;
  const Place place = found->second;
  place.network->second.erase(place.turn);
  if (place.network->second.empty()) networks_.erase(place.network);
  places_.erase(found);
}

std::optional<std::uint32_t> HalfOpenList::victim() const {
  const std::list<Turn>* most = nullptr;
  for (const auto& [network, turns] : networks_) {
    const bool is_first =
        most == nullptr || turns.size() > most->size() ||
        (turns.size() == most->size() && turns.front().arrival < most->front().arrival);
    if (is_first) most = &turns;
  }
  if (most == nullptr) return std::nullopt;
  return most->front().slot;
}

}  // namespace ringway
