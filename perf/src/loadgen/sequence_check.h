#pragma once

#include <bitset>
#include <cstdint>

namespace ringway::loadgen {

/// What became of numbered packets on their way: counts each number once, and tells what came late
/// or twice. Numbers begin at 0. Pure value.
class SequenceCheck {
 public:
  /// Numbers that are further behind the highest are taken for late, never for repeated.
  static constexpr std::uint64_t kWindow = 4096;

  void note(std::uint64_t number);

  /// Different numbers that arrived.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// Of those, how many came after a higher one.
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }

 private:
  std::bitset<kWindow> seen_;
  /// One past the highest.
  std::uint64_t next_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t duplicated_ = 0;
};

}  // namespace ringway::loadgen
