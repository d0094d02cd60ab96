#include "dataplane/admission/handshake_limits.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using Settings = HandshakeLimits::Settings;

constexpr Instant kStart{100s};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
IpAddress v4(std::uint64_t number) { return IpAddress::v4(static_cast<std::uint32_t>(number)); }

/// Nothing but what a test sets.
Settings unlimited() { return {.from_one_source = {.count = 0}, .shared_sources = {}, .hash = {}}; }

/// The workers of a server, among which the kernel spreads datagrams.
class Workers {
 public:
  Workers(const Settings& settings, std::uint16_t count) {
    for (std::uint16_t i = 0; i < count; ++i) limits_.emplace_back(settings, i, count);
  }
  [[nodiscard]] HandshakeLimits& at(std::size_t worker) { return limits_[worker]; }
  [[nodiscard]] HandshakeLimits& any() { return limits_[random_below(dice_, limits_.size())]; }

 private:
  test::SeededRandom dice_{5};
  std::vector<HandshakeLimits> limits_;
};

std::uint32_t taken_of(HandshakeLimits& limits, const IpAddress& from, int offered,
                       Instant now = kStart) {
  std::uint32_t taken = 0;
  for (int i = 0; i < offered; ++i) taken += limits.take_handshake(from, now) ? 1 : 0;
  return taken;
}

TEST(RateLimit, IsSharedOutWithoutRest) {
  for (const unsigned count : {1u, 2u, 3u, 7u, 64u}) {
    const auto workers = static_cast<std::uint16_t>(count);
    std::uint32_t sum = 0;
    for (std::uint16_t i = 0; i < workers; ++i) {
      sum += RateLimit{.count = 100}.part_of(i, workers).count;
    }
    EXPECT_EQ(sum, 100u) << workers;
  }
}

TEST(RateLimit, LeavesEachWorkerOne) {
  EXPECT_EQ((RateLimit{.count = 2}.part_of(3, 4).count), 1u);
  EXPECT_EQ(RateLimit{}.part_of(3, 4).count, 0u) << "no limit stays none";
}

TEST(HandshakeLimits, TogetherTakeWhatIsConfiguredOfMoreThanThat) {
  Settings settings = unlimited();
  settings.answers = settings.handshakes = {.count = 1000, .period = 10s};
  Workers workers(settings, 8);
  int answers = 0;
  int handshakes = 0;
  for (int i = 0; i < 5000; ++i) {
    const IpAddress from = v4(0x0a000000u + static_cast<std::uint32_t>(i));
    answers += workers.any().take_answer(from, kStart) ? 1 : 0;
    handshakes += workers.any().take_handshake(from, kStart) ? 1 : 0;
  }
  EXPECT_EQ(answers, 1000);
  EXPECT_EQ(handshakes, 1000);
}

TEST(HandshakeLimits, RefuseLittleOfWhatIsAllowedWhenItIsSpreadEvenly) {
  Settings settings = unlimited();
  settings.handshakes = {.count = 1000, .period = 10s};
  Workers workers(settings, 8);
  int taken = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    taken += workers.any().take_handshake(v4(i), kStart) ? 1 : 0;
  }
  EXPECT_GE(taken, 800) << "within 20 % of what is configured";
  EXPECT_LE(taken, 1000);
}

TEST(HandshakeLimits, GiveOneWorkerThatGetsAllItsPartAndNoMore) {
  Settings settings = unlimited();
  settings.handshakes = {.count = 1000, .period = 10s};
  Workers workers(settings, 8);
  EXPECT_EQ(taken_of(workers.at(0), v4(1), 5000), 125u);
}

TEST(HandshakeLimits, BeginAnewWithEachPeriod) {
  Settings settings = unlimited();
  settings.handshakes = {.count = 3, .period = 10s};
  HandshakeLimits limits(settings, 0, 1);
  EXPECT_EQ(taken_of(limits, v4(1), 9), 3u);
  EXPECT_EQ(taken_of(limits, v4(1), 9, kStart + 10s - 1ns), 0u);
  EXPECT_EQ(taken_of(limits, v4(1), 9, kStart + 10s), 3u);
}

TEST(HandshakeLimits, AnswerTensOfThousandsASecondByDefault) {  // A04
  HandshakeLimits limits({}, 0, 4);
  std::uint32_t answered = 0;
  for (std::uint32_t i = 0; i < 60'000; ++i) answered += limits.take_answer(v4(i), kStart) ? 1 : 0;
  EXPECT_EQ(answered, HandshakeLimits::kAnswersPerWorker);
  EXPECT_TRUE(limits.take_handshake(v4(1), kStart)) << "who returns a cookie is another matter";
}

TEST(HandshakeLimits, KeepOneAddressFromTakingAllOfIt) {
  HandshakeLimits limits({.from_one_source = {.count = 5, .period = 1s}}, 0, 1);
  EXPECT_EQ(taken_of(limits, ip("192.0.2.1"), 50), 5u);
  EXPECT_EQ(taken_of(limits, ip("192.0.2.2"), 50), 5u);
  EXPECT_EQ(taken_of(limits, ip("192.0.2.1"), 50, kStart + 1s), 5u);
}

TEST(HandshakeLimits, AnswerFirstPacketsOfOneAddressMoreOftenThanHandshakes) {
  HandshakeLimits limits({.from_one_source = {.count = 5, .period = 1s}}, 0, 1);
  std::uint32_t answered = 0;
  for (int i = 0; i < 50; ++i) answered += limits.take_answer(ip("192.0.2.1"), kStart) ? 1 : 0;
  EXPECT_EQ(answered, 5 * HandshakeLimits::kAnswersPerHandshake);
}

TEST(HandshakeLimits, TakeNothingFromTheOthersForWhatASourceIsRefused) {
  HandshakeLimits limits(
      {.handshakes = {.count = 10}, .from_one_source = {.count = 5, .period = 1s}}, 0, 1);
  EXPECT_EQ(taken_of(limits, ip("192.0.2.1"), 50), 5u);
  EXPECT_EQ(taken_of(limits, ip("192.0.2.2"), 50), 5u);
}

/// An IPv6 customer has 2^64 addresses, a site 65,536 such networks.
TEST(HandshakeLimits, CountIpv6ByNetworks) {
  struct Row {
    const char* what;
    const char* format;
    std::uint32_t taken;
  };
  const Row rows[] = {
      {"addresses of one /64", "2001:db8:1:100::{}", 5},
      {"/64s of one /56", "2001:db8:1:10{}::1", 10},
      {"/56s of one /48", "2001:db8:1:{}00::1", 20},
      {"/48s", "2001:db8:{}::1", 80},
  };
  for (const Row& row : rows) {
    HandshakeLimits limits({.from_one_source = {.count = 5, .period = 1s}}, 0, 1);
    std::uint32_t taken = 0;
    for (int i = 0; i < 16; ++i) {
      std::string text = row.format;
      text.replace(text.find("{}"), 2, std::string(1, "0123456789abcdef"[i]));
      taken += taken_of(limits, ip(text.c_str()), 5);
    }
    EXPECT_EQ(taken, row.taken) << row.what;
  }
}

TEST(HandshakeLimits, LetThousandsOfClientsBehindOneAddressComeBackWithinSeconds) {
  HandshakeLimits limits({}, 0, 1);
  std::uint32_t back = 0;
  for (int second = 0; second < 10; ++second) {
    back += taken_of(limits, ip("203.0.113.1"), 250, kStart + second * 1s);
  }
  EXPECT_EQ(back, 2500u);
}

TEST(HandshakeLimits, HoldASharedSourceToTheLimitOfAllOnly) {
  const Settings settings{.handshakes = {.count = 100},
                          .from_one_source = {.count = 5, .period = 1s},
                          .shared_sources = {*Prefix::parse("100.64.0.0/10")}};
  HandshakeLimits limits(settings, 0, 1);
  EXPECT_EQ(taken_of(limits, ip("100.127.0.1"), 60), 60u);
  EXPECT_EQ(taken_of(limits, ip("100.128.0.1"), 60), 5u);
  EXPECT_EQ(taken_of(limits, ip("100.64.0.9"), 60), 35u);
}

}  // namespace
}  // namespace ringway
