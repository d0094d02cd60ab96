#include "perf/src/wire/run_plan.h"

#include <gtest/gtest.h>

namespace ringway::wire {
namespace {

TEST(RunPlan, IsWhatTheWordsSay) {
  const auto plan = RunPlan::parse(
      "direction=down  clients=1000 size=64 inner=udp train=40 burst=4 outer-offloads=1 "
      "inner-offloads=1 window=512 sample=1 ms=250");

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->direction, RunPlan::Direction::Down);
  EXPECT_EQ(plan->inner, InnerKind::Udp);
  EXPECT_EQ(plan->clients, 1000u);
  EXPECT_EQ(plan->packet_size, 64u);
  EXPECT_EQ(plan->train, 40u);
  EXPECT_EQ(plan->burst, 4u);
  EXPECT_TRUE(plan->outer_offloads);
  EXPECT_TRUE(plan->inner_offloads);
  EXPECT_EQ(plan->window, 512u);
  EXPECT_EQ(plan->sample, 1u);
  EXPECT_EQ(plan->duration, 250ms);
}

TEST(RunPlan, IsOneClientPacketByPacketWhenNothingIsSaid) {
  const auto plan = RunPlan::parse("");

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->direction, RunPlan::Direction::Up);
  EXPECT_EQ(plan->clients, 1u);
  EXPECT_EQ(plan->train, 1u);
  EXPECT_FALSE(plan->outer_offloads);
}

TEST(RunPlan, NamesTheWordThatMeansNothing) {
  for (const std::string_view word :
       {"size", "size=", "size=59", "size=1501", "size=64x", "train=65", "direction=left",
        "clients=0", "outer-offloads=2", "colour=blue", "ms=0", "inner=sctp"}) {
    const auto plan = RunPlan::parse("clients=2 " + std::string(word));

    ASSERT_FALSE(plan) << word;
    EXPECT_EQ(plan.error(), word);
  }
}

}  // namespace
}  // namespace ringway::wire
