#include "control/name_lookup.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(NameLookup, TakesLiteralAddressesOfTheFamilyThatIsAskedFor) {
  const auto v4 = look_up_name("192.0.2.1", LinkFamily::Both, 10s);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->front().address, IpAddress::parse("192.0.2.1"));
  const auto v6 = look_up_name("2001:db8::1", LinkFamily::V6Only, 10s);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->front().address, IpAddress::parse("2001:db8::1"));

  const auto wrong = look_up_name("192.0.2.1", LinkFamily::V6Only, 10s);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("192.0.2.1"), std::string::npos);
}

TEST(NameLookup, GivesUpWhenItsPatienceIsOver) {
  const auto late = look_up_name("name-that-nobody-has.invalid", LinkFamily::Both, Duration{0});

  // An answer may be quicker than that, from a cache of the machine; but it is never an address.
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().what.find("name-that-nobody-has.invalid"), std::string::npos);
}

}  // namespace
}  // namespace ringway
