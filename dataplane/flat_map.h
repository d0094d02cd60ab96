#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace ringway {

/// A hash map in one array: what a look-up per packet wants. Open addressing with linear probing;
/// erasing closes the gap, so that no tombstones slow it down over the weeks.
///
/// Pure. Allocates when it grows, which only insert_or_assign() does; find() never. `Hash` gives 64
/// bits and must be keyed where peers choose the keys (security goal A23).
template <typename Key, typename Value, typename Hash>
class FlatMap {
 public:
  explicit FlatMap(Hash hash, std::size_t expected_size = 0) : hash_(std::move(hash)) {
    std::size_t places = kPlacesMin;
    while (places < expected_size * 2) places *= 2;
    places_.resize(places);
  }

  [[nodiscard]] const Value* find(const Key& key) const {
    const Place& place = places_[place_of(key)];
    return place.used ? &place.value : nullptr;
  }

  void insert_or_assign(const Key& key, const Value& value) {
    if ((size_ + 1) * 2 > places_.size()) grow();
    Place& place = places_[place_of(key)];
    if (!place.used) ++size_;
    place = {.key = key, .value = value, .used = true};
  }

  /// True when there was such a key.
  bool erase(const Key& key) {
    std::size_t gap = place_of(key);
    if (!places_[gap].used) return false;

    // Whatever follows without a gap and may stand earlier moves up.
    for (std::size_t at = next(gap); places_[at].used; at = next(at)) {
      const std::size_t home = home_of(places_[at].key);
      const std::size_t distance_home = (at - home) & mask();
      const std::size_t distance_gap = (at - gap) & mask();
      if (distance_home < distance_gap) continue;
      places_[gap] = places_[at];
      gap = at;
    }
    places_[gap] = Place{};
    --size_;
    return true;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kPlacesMin = 16;
  struct Place {
    Key key{};
    Value value{};
    bool used = false;
  };

  [[nodiscard]] std::size_t mask() const { return places_.size() - 1; }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  [[nodiscard]] std::size_t home_of(const Key& key) const { return hash_(key) & mask(); }
  // Where `key` is, or where it would go. At most half of the places are used, so the search ends.
  [[nodiscard]] std::size_t place_of(const Key& key) const {
    std::size_t at = home_of(key);
    while (places_[at].used && !(places_[at].key == key)) at = next(at);
    return at;
  }

  void grow() {
    const std::vector<Place> old = std::exchange(places_, std::vector<Place>(places_.size() * 2));
    for (const Place& place : old) {
      if (place.used) places_[place_of(place.key)] = place;
    }
  }

  Hash hash_;
  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace ringway
