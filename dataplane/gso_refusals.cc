#include "dataplane/gso_refusals.h"

#include <algorithm>

namespace ringway {
namespace {

/// Not keyed: who chooses an address that meets another's place gains nothing but a refused send.
std::size_t place_of(const Endpoint& endpoint) {
  std::size_t hash = endpoint.port;
  for (const std::uint8_t byte : endpoint.address.bytes()) hash = hash * 31 + byte;
  return (hash ^ hash >> 8) % GsoRefusals::kPlaces;
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
