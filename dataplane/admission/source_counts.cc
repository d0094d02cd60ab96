#include "dataplane/admission/source_counts.h"

#include <algorithm>
#include <limits>

namespace ringway {

std::uint32_t SourceCounts::of(const IpAddress& network) const {
  const Places places = places_of(network);
  return std::min(cells_[places.of_row[0]], cells_[places.of_row[1]]);
}

/// Only what is lowest grows: the other cell is too high already, by other networks.
void SourceCounts::add(const IpAddress& network) {
  const Places places = places_of(network);
  const std::uint32_t lowest = std::min(cells_[places.of_row[0]], cells_[places.of_row[1]]);
  if (lowest == std::numeric_limits<std::uint32_t>::max()) return;
  for (const std::size_t place : places.of_row) {
    if (cells_[place] == lowest) ++cells_[place];
  }
}

void SourceCounts::clear() { std::ranges::fill(cells_, std::uint32_t{0}); }

SourceCounts::Places SourceCounts::places_of(const IpAddress& network) const {
  const std::uint64_t hash = hash_(network);
  return {.of_row = {hash % kCells, kCells + (hash >> 32) % kCells}};
}

}  // namespace ringway
