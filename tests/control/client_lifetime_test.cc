#include "control/client_lifetime.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr Instant kStart{1000s};

TEST(ClientLifetime, HasNoEndWithoutLimits) {
  const ClientLifetime lifetime({}, kStart);
  EXPECT_EQ(lifetime.deadline(), std::nullopt);
  EXPECT_TRUE(lifetime.verdict(kStart + 1'000'000s).empty());
}

TEST(ClientLifetime, EndsWhenNoPacketComesForTooLong) {
  ClientLifetime lifetime({.inactive = 10s}, kStart);
  lifetime.note_packet(1, kStart + 9s);

  EXPECT_EQ(lifetime.deadline(), kStart + 19s);
  EXPECT_TRUE(lifetime.verdict(kStart + 18s).empty());
  EXPECT_NE(lifetime.verdict(kStart + 19s).find("inactive"), std::string_view::npos);
}

TEST(ClientLifetime, WantsSoManyBytesInTheTime) {
  ClientLifetime lifetime({.inactive = 10s, .inactive_bytes = 1000}, kStart);
  lifetime.note_packet(999, kStart + 5s);
  EXPECT_EQ(lifetime.deadline(), kStart + 10s);

  lifetime.note_packet(1, kStart + 6s);
  EXPECT_EQ(lifetime.deadline(), kStart + 16s);
  lifetime.note_packet(999, kStart + 15s);
  EXPECT_FALSE(lifetime.verdict(kStart + 16s).empty());
}

TEST(ClientLifetime, EndsAfterTheSessionsTimeWhateverIsSent) {
  ClientLifetime lifetime({.inactive = 10s, .session = 15s}, kStart);
  lifetime.note_packet(1, kStart + 14s);

  EXPECT_EQ(lifetime.deadline(), kStart + 15s);
  EXPECT_NE(lifetime.verdict(kStart + 15s).find("session-timeout"), std::string_view::npos);
}

}  // namespace
}  // namespace ringway
