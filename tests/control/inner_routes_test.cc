#include "control/inner_routes.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

const Prefix kLan = *Prefix::parse("192.168.4.0/24");
const Prefix kOther = *Prefix::parse("2001:db8:4::/64");

TEST(InnerRoutes, BelongToTheNewestAndThenToTheOneBefore) {
  InnerRoutes routes(10);

  EXPECT_EQ(routes.claim(kLan, {1}).former, std::nullopt);
  EXPECT_EQ(routes.claim(kLan, {2}).former, PeerId{1});
  EXPECT_EQ(routes.owner(kLan), PeerId{2});

  const InnerRoutes::Released released = routes.release(kLan, {2});
  EXPECT_TRUE(released.was_owner);
  EXPECT_EQ(released.heir, PeerId{1});
  EXPECT_EQ(routes.owner(kLan), PeerId{1});
  EXPECT_EQ(routes.release(kLan, {1}).heir, std::nullopt);
  EXPECT_EQ(routes.owner(kLan), std::nullopt);
  EXPECT_EQ(routes.size(), 0u);
}

TEST(InnerRoutes, ForgetAClaimThatHadLost) {
  InnerRoutes routes(10);
  routes.claim(kLan, {1});
  routes.claim(kLan, {2});

  EXPECT_FALSE(routes.release(kLan, {1}).was_owner);
  EXPECT_EQ(routes.release(kLan, {2}).heir, std::nullopt);
  EXPECT_EQ(routes.size(), 0u);
}

TEST(InnerRoutes, HaveALimit) {
  InnerRoutes routes(1);
  EXPECT_TRUE(routes.claim(kLan, {1}).has_room);

  EXPECT_FALSE(routes.claim(kOther, {1}).has_room);
  EXPECT_EQ(routes.owner(kOther), std::nullopt);
  EXPECT_TRUE(routes.claim(kLan, {2}).has_room);
}

TEST(InnerRoutes, ReleaseNothingThatWasNotClaimed) {
  InnerRoutes routes(2);
  routes.claim(kLan, {1});

  EXPECT_FALSE(routes.release(kOther, {1}).was_owner);
  EXPECT_FALSE(routes.release(kLan, {7}).was_owner);
  EXPECT_EQ(routes.owner(kLan), PeerId{1});
}

}  // namespace
}  // namespace ringway
