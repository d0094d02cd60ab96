#include "dataplane/channel/whereabouts.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr Instant kStart{1000s};

LinkEndpoint endpoint(std::uint16_t port) {
  return {.remote = {.address = IpAddress::v4(0xc0000201), .port = port},
          .local = IpAddress::v4(0xc6336401)};
}

TEST(Whereabouts, ChangeAtOnceAndThenOnceASecond) {
  Whereabouts where(endpoint(1));
  EXPECT_TRUE(where.may_change(kStart));

  where.move_to(endpoint(2), kStart);

  EXPECT_EQ(where.endpoint(), endpoint(2));
  EXPECT_FALSE(where.may_change(kStart + 999ms));
  EXPECT_TRUE(where.may_change(kStart + 1s));
}

TEST(Whereabouts, AreClaimedAsSeldomAsTheyAreChanged) {
  Whereabouts where(endpoint(1));
  where.claim(endpoint(2), kStart);

  EXPECT_EQ(where.endpoint(), endpoint(1));
  EXPECT_TRUE(where.claims(endpoint(2)));
  EXPECT_FALSE(where.may_change(kStart + 999ms));
}

TEST(Whereabouts, ForgetAClaimWhenTheyChange) {
  Whereabouts where(endpoint(1));
  where.claim(endpoint(2), kStart);
  where.move_to(endpoint(3), kStart + 1s);

  EXPECT_FALSE(where.claims(endpoint(2)));
}

TEST(Whereabouts, RememberWhatWasRefusedUntilTheyAreThere) {
  Whereabouts where(endpoint(1));
  where.refuse(endpoint(2));
  where.move_to(endpoint(3), kStart);
  EXPECT_TRUE(where.is_refused(endpoint(2)));
  EXPECT_FALSE(where.is_refused(endpoint(1)));

  where.move_to(endpoint(2), kStart + 1s);

  EXPECT_FALSE(where.is_refused(endpoint(2)));
}

}  // namespace
}  // namespace ringway
