#include "control/round_plan.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using Order = std::vector<std::size_t>;

Endpoint server(const char* address) { return {*IpAddress::parse(address), 1194}; }

ClientConfig config(std::size_t remote_count, RetryConfig retry = {}) {
  ClientConfig config;
  config.remotes.resize(remote_count);
  config.retry = retry;
  return config;
}

class RoundPlanTest : public ::testing::Test {
 protected:
  test::SeededRandom random_{1};
  const Endpoint v6_ = server("2001:db8::1");
  const Endpoint v4_ = server("192.0.2.1");
};

TEST_F(RoundPlanTest, KeepsTheOrderOfTheProfile) {
  EXPECT_EQ(RoundPlan(config(3), random_).order(), (Order{0, 1, 2}));
}

TEST_F(RoundPlanTest, ShufflesOnceWhenToldTo) {
  ClientConfig shuffled = config(3);
  shuffled.remote_random = true;
  std::set<Order> seen;
  for (int i = 0; i < 200; ++i) {
    RoundPlan plan(shuffled, random_);
    const Order order = plan.order();
    EXPECT_EQ(plan.order(), order);
    seen.insert(order);
  }
  EXPECT_EQ(seen.size(), 6u);
}

TEST_F(RoundPlanTest, BeginsWithTheServerThatWorkedLast) {
  RoundPlan plan(config(3), random_);
  plan.note_connected(1, v4_);
  EXPECT_EQ(plan.order(), (Order{1, 2, 0}));
  EXPECT_EQ(plan.history(1).last_good, v4_);
  plan.note_lost(false, {});
  EXPECT_EQ(plan.order(), (Order{1, 2, 0}));
}

TEST_F(RoundPlanTest, MovesOnWhenTheServerSaysSo) {
  RoundPlan plan(config(2), random_);
  plan.note_connected(1, v4_);
  plan.move_on(1);
  EXPECT_EQ(plan.order(), (Order{0, 1}));
}

TEST_F(RoundPlanTest, MovesOnWhenNoAddressLeadsToAConnection) {
  RoundPlan plan(config(2), random_);
  plan.note_failed(0, v6_, 2);
  EXPECT_EQ(plan.order(), (Order{0, 1}));
  EXPECT_EQ(plan.history(0).blamed, std::vector{v6_});
  plan.note_failed(0, v4_, 2);
  EXPECT_EQ(plan.order(), (Order{1, 0}));
  EXPECT_TRUE(plan.history(0).blamed.empty());
}

TEST_F(RoundPlanTest, ForgetsThatAnAddressWasGoodWhenItFails) {
  RoundPlan plan(config(1), random_);
  plan.note_connected(0, v6_);
  plan.note_failed(0, v6_, 2);
  EXPECT_EQ(plan.history(0).last_good, std::nullopt);
  plan.note_connected(0, v4_);
  EXPECT_TRUE(plan.history(0).blamed.empty());
}

TEST_F(RoundPlanTest, StaysWhereTheServerWantsItAndCountsTheFailure) {
  RoundPlan plan(config(2, {.attempts_max = 1}), random_);
  plan.note_failed(0, v6_, 1);
  ASSERT_EQ(plan.order(), (Order{1, 0}));
  plan.stay_at(0, v6_);
  EXPECT_EQ(plan.order(), (Order{0, 1}));
  EXPECT_EQ(plan.history(0).last_good, v6_);
  EXPECT_TRUE(plan.is_exhausted());
}

TEST_F(RoundPlanTest, WaitsLongerAfterFiveRounds) {
  RoundPlan plan(config(1, {.wait = 1s, .wait_max = 10s}), random_);
  std::vector<Duration> waits;
  for (int i = 0; i < 11; ++i) {
    plan.note_lost(false, {});
    waits.push_back(plan.take_wait());
  }
  EXPECT_EQ(waits, (std::vector<Duration>{1s, 1s, 1s, 1s, 1s, 2s, 4s, 8s, 10s, 10s, 10s}));

  plan.note_connected(0, v6_);
  EXPECT_EQ(plan.take_wait(), Duration{1s});
}

TEST_F(RoundPlanTest, WaitsAsLongAsTheServerAsksOnce) {
  RoundPlan plan(config(1), random_);
  plan.wait_at_least(42s);
  EXPECT_EQ(plan.take_wait(), Duration{42s});
  EXPECT_EQ(plan.take_wait(), Duration{1s});
}

TEST_F(RoundPlanTest, GivesUpAfterConnectRetryMaxRounds) {
  RoundPlan plan(config(1, {.attempts_max = 2}), random_);
  plan.note_lost(false, {});
  EXPECT_FALSE(plan.is_exhausted());
  plan.note_failed(0, v6_, 1);
  EXPECT_TRUE(plan.is_exhausted());
  plan.note_connected(0, v6_);
  EXPECT_FALSE(plan.is_exhausted());

  RoundPlan patient(config(1), random_);
  for (int i = 0; i < 1000; ++i) patient.note_lost(false, {});
  EXPECT_FALSE(patient.is_exhausted());
}

TEST_F(RoundPlanTest, GivesUpWhenNamesHaveNoAddressForTooLong) {
  const Instant begin{100s};
  RoundPlan plan(config(1, {.resolve_for = Duration{60s}}), random_);
  plan.note_lost(true, begin);
  EXPECT_FALSE(plan.is_unnamed_for_too_long(begin + 59s));
  plan.note_lost(true, begin + 59s);
  EXPECT_TRUE(plan.is_unnamed_for_too_long(begin + 60s));
  plan.note_lost(false, begin + 61s);
  EXPECT_FALSE(plan.is_unnamed_for_too_long(begin + 61s));

  RoundPlan patient(config(1), random_);
  patient.note_lost(true, begin);
  EXPECT_FALSE(patient.is_unnamed_for_too_long(begin + 100'000s));
}

}  // namespace
}  // namespace ringway
