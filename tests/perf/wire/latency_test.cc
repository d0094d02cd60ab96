#include "perf/src/wire/latency.h"

#include <gtest/gtest.h>

namespace ringway::wire {
namespace {

TEST(LatencyHistogram, HasNothingToSayWithoutSamples) {
  const LatencyHistogram histogram;

  EXPECT_EQ(histogram.percentile(0.5), Duration{0});
  EXPECT_EQ(histogram.count(), 0u);
}

TEST(LatencyHistogram, IsExactBelowEightNanoseconds) {
  LatencyHistogram histogram;
  for (int ns = 0; ns < 8; ++ns) histogram.add(Duration{ns});

  EXPECT_EQ(histogram.percentile(0.5), Duration{3});
  EXPECT_EQ(histogram.percentile(1.0), Duration{7});
}

TEST(LatencyHistogram, IsRightWithinAnEighth) {
  for (const std::int64_t ns : {9, 100, 1'000, 123'456, 50'000'000}) {
    LatencyHistogram histogram;
    histogram.add(Duration{ns});
    histogram.add(10 * Duration{ns});

    const auto found = histogram.percentile(0.5).count();

    EXPECT_GE(found, ns);
    EXPECT_LE(found, ns + ns / 8 + 1);
  }
}

TEST(LatencyHistogram, SeparatesTheTailFromTheMiddle) {
  LatencyHistogram histogram;
  for (int i = 0; i < 98; ++i) histogram.add(10us);
  for (int i = 0; i < 2; ++i) histogram.add(5ms);

  EXPECT_LT(histogram.percentile(0.5), 12us);
  EXPECT_GT(histogram.percentile(0.99), 4ms);
  EXPECT_EQ(histogram.longest(), 5ms);
}

TEST(LatencyHistogram, TakesAnyDuration) {
  LatencyHistogram histogram;
  histogram.add(Duration::max());
  histogram.add(Duration{-5});

  EXPECT_EQ(histogram.percentile(1.0), Duration::max());
  EXPECT_EQ(histogram.percentile(0.5), Duration{0});
}

}  // namespace
}  // namespace ringway::wire
