#include "dataplane/gso_refusals.h"

#include <algorithm>

#include "base/bytes.h"

namespace ringway {
namespace {

/// Not keyed: who chooses an address that meets another's place gains nothing but a refused send.
std::size_t place_of(const Endpoint& endpoint) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  const std::uint8_t* const address = endpoint.address.bytes().data();
  std::uint64_t hash = (load_be64(address) ^ endpoint.port) * kOdd;
  hash = (hash ^ hash >> 32 ^ load_be64(address + 8)) * kOdd;
  // The upper bits depend on all of the address.
  return hash >> 32 & (GsoRefusals::kPlaces - 1);
}

}  // namespace

void GsoRefusals::note(const Endpoint& to, std::size_t segment_size) {
  Place& place = places_[place_of(to)];
  if (place.segment_size == 0) ++count_;
  if (place.segment_size > 0 && place.to == to) {
    place.segment_size = std::min(place.segment_size, segment_size);
  } else {
    place = {.to = to, .segment_size = segment_size};
  }
}

bool GsoRefusals::is_noted(const Endpoint& to, std::size_t segment_size) const {
  const Place& place = places_[place_of(to)];
  return place.segment_size > 0 && segment_size >= place.segment_size && place.to == to;
}

}  // namespace ringway
