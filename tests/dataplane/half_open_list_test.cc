#include "dataplane/half_open_list.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

TEST(HalfOpenList, NamesTheOldestOfTheNetworkThatHasTheMost) {
  HalfOpenList list;
  list.add(1, ip("192.0.2.1"));
  list.add(2, ip("198.51.100.1"));
  list.add(3, ip("198.51.100.2"));
  list.add(4, ip("2001:db8::1"));

  EXPECT_EQ(list.victim(), 2u);
  list.remove(2);
  list.add(5, ip("2001:db8:0:ffff::1"));
  EXPECT_EQ(list.victim(), 4u);
}

TEST(HalfOpenList, NeverNamesAStrangerWhileOneNetworkFloods) {
  HalfOpenList list;
  list.add(0, ip("203.0.113.9"));
  for (std::uint32_t slot = 1; slot <= 1000; ++slot) {
    list.add(slot, ip("192.0.2.1").plus(slot % 200));
    if (list.size() <= 10) continue;
    const auto victim = list.victim();
    ASSERT_TRUE(victim.has_value());
    ASSERT_NE(*victim, 0u);
    list.remove(*victim);
  }
  EXPECT_TRUE(list.contains(0));
}

// R08: an attacker with a connection from each of many networks replaces his own, wherever his
// addresses sort.
TEST(HalfOpenList, NamesTheOldestOfNetworksThatHaveAsMany) {
  HalfOpenList list;
  for (std::uint32_t slot = 0; slot < 10; ++slot) {
    list.add(slot, ip("203.0.113.1").plus(slot << 8));
  }
  list.add(10, ip("192.0.2.1"));
  list.add(11, ip("2001:db8::1"));

  for (std::uint32_t slot = 0; slot < 12; ++slot) {
    EXPECT_EQ(list.victim(), slot);
    list.remove(slot);
  }
}

TEST(HalfOpenList, CountsByTheNetworksThatACustomerMayHave) {
  EXPECT_EQ(HalfOpenList::network_of(ip("192.0.2.77")).to_string(), "192.0.2.0/24");
  EXPECT_EQ(HalfOpenList::network_of(ip("2001:db8:1:2:3::4")).to_string(), "2001:db8:1::/48");
}

TEST(HalfOpenList, ForgetsWhatIsRemoved) {
  HalfOpenList list;
  EXPECT_FALSE(list.victim());
  list.add(1, ip("192.0.2.1"));
  list.remove(1);
  list.remove(1);
  EXPECT_EQ(list.size(), 0u);
  EXPECT_FALSE(list.victim());
}

}  // namespace
}  // namespace ringway
