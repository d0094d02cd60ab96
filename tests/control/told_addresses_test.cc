#include "control/told_addresses.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

const Prefix kAddress = *Prefix::parse("10.8.0.2/32");
constexpr ClientId kFirst{1};
constexpr ClientId kSecond{2};

class ToldAddressesTest : public ::testing::Test {
 protected:
  /// Whether the program is then told `delete`.
  bool learn(ClientId client, bool is_accepted = true) {
    told_.begin(kAddress);
    return told_.settle(kAddress, client, is_accepted);
  }

  ToldAddresses told_;
};

TEST_F(ToldAddressesTest, AreForgottenWithTheirClient) {
  EXPECT_FALSE(told_.is_known(kAddress));
  EXPECT_FALSE(learn(kFirst));
  EXPECT_TRUE(told_.is_known(kAddress));

  EXPECT_TRUE(told_.leave(kAddress, kFirst));
  EXPECT_FALSE(told_.leave(kAddress, kFirst));
  EXPECT_EQ(told_.size(), 0u);
}

TEST_F(ToldAddressesTest, StayWithTheClientThatHasThemLast) {
  EXPECT_FALSE(learn(kFirst));
  EXPECT_FALSE(learn(kSecond));

  EXPECT_FALSE(told_.leave(kAddress, kFirst));
  EXPECT_TRUE(told_.leave(kAddress, kSecond));
}

TEST_F(ToldAddressesTest, StayWhereTheyWereWhenTheProgramSaysNo) {
  EXPECT_FALSE(learn(kFirst));
  EXPECT_FALSE(learn(kSecond, false));

  EXPECT_FALSE(told_.leave(kAddress, kSecond));
  EXPECT_TRUE(told_.leave(kAddress, kFirst));
}

TEST_F(ToldAddressesTest, AreNotKeptOfARefusal) {
  EXPECT_FALSE(learn(kFirst, false));
  EXPECT_EQ(told_.size(), 0u);
}

TEST_F(ToldAddressesTest, WaitForTheVerdictAboutTheNextClient) {
  EXPECT_FALSE(learn(kFirst));
  told_.begin(kAddress);
  EXPECT_FALSE(told_.leave(kAddress, kFirst));
  EXPECT_FALSE(told_.settle(kAddress, kSecond, true));
  EXPECT_TRUE(told_.leave(kAddress, kSecond));

  EXPECT_FALSE(learn(kFirst));
  told_.begin(kAddress);
  EXPECT_FALSE(told_.leave(kAddress, kFirst));
  EXPECT_TRUE(told_.settle(kAddress, kSecond, false));
  EXPECT_EQ(told_.size(), 0u);
}

TEST_F(ToldAddressesTest, ThatWereHandedOverAreReleasedUnlessSomebodyHasThem) {
  EXPECT_FALSE(learn(kFirst));
  EXPECT_TRUE(told_.hand_over(kAddress, kFirst));
  EXPECT_FALSE(told_.leave(kAddress, kFirst));
  EXPECT_TRUE(told_.release(kAddress));

  EXPECT_FALSE(learn(kFirst));
  EXPECT_TRUE(told_.hand_over(kAddress, kFirst));
  EXPECT_FALSE(learn(kSecond));
  EXPECT_FALSE(told_.release(kAddress));
  EXPECT_TRUE(told_.leave(kAddress, kSecond));
}

}  // namespace
}  // namespace ringway
