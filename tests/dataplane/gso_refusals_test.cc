#include "dataplane/gso_refusals.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

Endpoint endpoint(std::uint32_t address, std::uint16_t port = 1194) {
  return {.address = IpAddress::v4(address), .port = port};
}

TEST(GsoRefusals, RefusesNothingAtFirst) {
  const GsoRefusals refusals;

  EXPECT_FALSE(refusals.refuses(endpoint(0x0a000001), 1));
  EXPECT_FALSE(refusals.refuses({}, 65535));
}

TEST(GsoRefusals, RefusesTheSizeThatWasRefusedAndLargerOnes) {
  GsoRefusals refusals;

  refusals.note(endpoint(0x0a000001), 1480);

  EXPECT_TRUE(refusals.refuses(endpoint(0x0a000001), 1480));
  EXPECT_TRUE(refusals.refuses(endpoint(0x0a000001), 1500));
  EXPECT_FALSE(refusals.refuses(endpoint(0x0a000001), 1479));
}

TEST(GsoRefusals, KeepsTheSmallestRefusedSize) {
  GsoRefusals refusals;

  refusals.note(endpoint(0x0a000001), 1400);
  refusals.note(endpoint(0x0a000001), 1480);

  EXPECT_TRUE(refusals.refuses(endpoint(0x0a000001), 1400));
}

TEST(GsoRefusals, ConcernsNobodyElse) {
  GsoRefusals refusals;
  refusals.note(endpoint(0x0a000001), 1);

  for (std::uint32_t i = 2; i < 2000; ++i) {
    EXPECT_FALSE(refusals.refuses(endpoint(0x0a000000 + i), 65535)) << i;
  }
  EXPECT_FALSE(refusals.refuses(endpoint(0x0a000001, 1195), 65535));
}

TEST(GsoRefusals, RemembersMostOfAThousandClients) {
  GsoRefusals refusals;
  for (std::uint32_t i = 0; i < 1000; ++i) refusals.note(endpoint(0x0a000000 + i * 259), 1480);

  std::size_t remembered = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    remembered += refusals.refuses(endpoint(0x0a000000 + i * 259), 1480) ? 1 : 0;
  }

  EXPECT_GT(remembered, 800u);
}

TEST(GsoRefusals, MayForgetAnEarlierClientForALaterOneAndNeverGrows) {
  GsoRefusals refusals;
  for (std::uint32_t i = 0; i < 50000; ++i) {
    refusals.note(endpoint(i), 1000);
    EXPECT_TRUE(refusals.refuses(endpoint(i), 1000));
  }

  std::size_t remembered = 0;
  for (std::uint32_t i = 0; i < 50000; ++i) {
    remembered += refusals.refuses(endpoint(i), 1000) ? 1 : 0;
  }

  EXPECT_LE(remembered, GsoRefusals::kPlaces);
}

TEST(GsoRefusals, ForgetsWhenItIsTold) {
  GsoRefusals refusals;
  refusals.note(endpoint(0x0a000001), 1000);

  refusals.forget();

  EXPECT_FALSE(refusals.refuses(endpoint(0x0a000001), 1000));
}

}  // namespace
}  // namespace ringway
