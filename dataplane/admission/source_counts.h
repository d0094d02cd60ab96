#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"

namespace ringway {

/// How often each of any number of networks has done something in the present period, in fixed
/// memory: a count-min sketch. A count is never too low; where many networks are counted it is too
/// high by some `total / kCells`, which is little beside what is allowed to one of them.
///
/// The hash is keyed, so that nobody can aim at another's cells (security goal A23). Pure;
/// allocates in its constructor; 32 KiB. One thread.
class SourceCounts {
 public:
  static constexpr std::size_t kCells = 4096;
  static constexpr std::size_t kRows = 2;

  explicit SourceCounts(const AddressHash& hash) : hash_(hash), cells_(kRows * kCells) {}

  /// `network` is an address whose host bits are zero.
  [[nodiscard]] std::uint32_t of(const IpAddress& network) const;
  /// One more; counts stop at 2^32 - 1.
  void add(const IpAddress& network);
  void clear();

 private:
  struct Places {
    std::size_t of_row[kRows];
  };
  [[nodiscard]] Places places_of(const IpAddress& network) const;

  AddressHash hash_;
  std::vector<std::uint32_t> cells_;
};

}  // namespace ringway
