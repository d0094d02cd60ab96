#include "dataplane/admission/source_counts.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

IpAddress source(std::uint32_t number) { return IpAddress::v4(0x0a000000u + number); }

TEST(SourceCounts, CountsEachNetworkByItself) {
  SourceCounts counts(AddressHash{.key = {1}});
  for (int i = 0; i < 5; ++i) counts.add(source(1));
  counts.add(source(2));

  EXPECT_EQ(counts.of(source(1)), 5u);
  EXPECT_EQ(counts.of(source(2)), 1u);
  EXPECT_EQ(counts.of(source(3)), 0u);
}

TEST(SourceCounts, ForgetsAll) {
  SourceCounts counts(AddressHash{});
  counts.add(source(1));
  counts.clear();
  EXPECT_EQ(counts.of(source(1)), 0u);
}

TEST(SourceCounts, StaysNearTheTruthUnderManyMoreNetworksThanItHasCells) {
  SourceCounts counts(AddressHash{.key = {2}});
  constexpr std::uint32_t kNetworks = 50'000;
  for (std::uint32_t i = 0; i < kNetworks; ++i) counts.add(source(i));

  std::uint32_t highest = 0;
  for (std::uint32_t i = 0; i < kNetworks; ++i) {
    ASSERT_GE(counts.of(source(i)), 1u);
    highest = std::max(highest, counts.of(source(i)));
  }
  EXPECT_LE(highest, 4 * kNetworks / SourceCounts::kCells);
}

TEST(SourceCounts, CountsAsFarAsALimitCanBeSet) {  // connect-freq-initial takes up to 10,000,000
  SourceCounts counts(AddressHash{});
  for (int i = 0; i < 70'000; ++i) counts.add(source(1));
  EXPECT_EQ(counts.of(source(1)), 70'000u);
}

TEST(SourceCounts, PutsNetworksElsewhereUnderAnotherKey) {  // A23
  SourceCounts first(AddressHash{.key = {1}});
  SourceCounts second(AddressHash{.key = {2}});
  // Whom the first takes for source(0), because all its cells are full.
  for (std::uint32_t i = 1; i < 20'000; ++i) {
    first.add(source(i));
    second.add(source(i));
  }
  std::uint32_t differing = 0;
  for (std::uint32_t i = 20'000; i < 21'000; ++i) {
    differing += first.of(source(i)) != second.of(source(i)) ? 1 : 0;
  }
  EXPECT_GT(differing, 100u);
}

}  // namespace
}  // namespace ringway
