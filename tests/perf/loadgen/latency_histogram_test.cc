#include "perf/src/loadgen/latency_histogram.h"

#include <gtest/gtest.h>

namespace ringway::loadgen {
namespace {

TEST(LatencyHistogram, KnowsNothingOfNothing) {
  const LatencyHistogram histogram;

  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.percentile(0.99), Duration{0});
}

TEST(LatencyHistogram, IsAtMostThreePercentAboveTheTruth) {
  for (const std::int64_t value : {1, 31, 32, 33, 1000, 123'456, 7'654'321, 2'000'000'000}) {
    LatencyHistogram histogram;
    histogram.add(Duration{value});
    histogram.add(Duration{4 * value});

    const Duration found = histogram.percentile(0.25);

    EXPECT_GE(found.count(), value);
    EXPECT_LE(static_cast<double>(found.count()), 1.04 * static_cast<double>(value) + 1);
  }
}

TEST(LatencyHistogram, FindsPercentilesOfAnEvenSpread) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 10'000; ++i) histogram.add(i * 1us);

  EXPECT_NEAR(static_cast<double>(histogram.percentile(0.5).count()), 5e6, 0.04 * 5e6);
  EXPECT_NEAR(static_cast<double>(histogram.percentile(0.99).count()), 9.9e6, 0.04 * 9.9e6);
  EXPECT_EQ(histogram.max(), 10ms);
  EXPECT_EQ(histogram.percentile(1.0), 10ms);
}

TEST(LatencyHistogram, NeverSaysMoreThanTheMaximum) {
  LatencyHistogram histogram;
  histogram.add(1'000'001ns);

  EXPECT_EQ(histogram.percentile(0.5), 1'000'001ns);
}

TEST(LatencyHistogram, TakesAnImpossibleDurationForZeroAndAnEndlessOneForItsLast) {
  LatencyHistogram histogram;
  histogram.add(-5ns);
  histogram.add(1000h);

  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.percentile(0.1), Duration{0});
}

TEST(LatencyHistogram, AddsUpWithAnother) {
  LatencyHistogram first;
  LatencyHistogram second;
  first.add(1ms);
  second.add(3ms);

  first.add(second);

  EXPECT_EQ(first.count(), 2u);
  EXPECT_EQ(first.max(), 3ms);
}

}  // namespace
}  // namespace ringway::loadgen
