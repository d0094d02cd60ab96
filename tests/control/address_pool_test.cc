#include "control/address_pool.h"

#include <gtest/gtest.h>

#include "control/config/tunnel_addresses.h"

namespace ringway {
namespace {

AddressPool pool_of(const char* v4, const char* v6, bool duplicate_cn = false) {
  TunnelConfig tunnel;
  if (v4 != nullptr) tunnel.network_v4 = Prefix::parse(v4);
  if (v6 != nullptr) tunnel.network_v6 = Prefix::parse(v6);
  return AddressPool(
      {.v4 = client_range_v4(tunnel), .v6 = client_range_v6(tunnel), .duplicate_cn = duplicate_cn});
}

TEST(AddressPool, LeasesBothFamiliesUnderOneIndex) {
  AddressPool pool = pool_of("10.77.0.0/24", "fd77::/64");

  const auto first = pool.acquire("a");
  const auto second = pool.acquire("b");

  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->v4->to_string(), "10.77.0.2");
  EXPECT_EQ(first->v6->to_string(), "fd77::1000");
  EXPECT_EQ(second->v4->to_string(), "10.77.0.3");
  EXPECT_EQ(second->v6->to_string(), "fd77::1001");
}

TEST(AddressPool, StartsAtTwoInSmallIpv6Networks) {
  AddressPool pool = pool_of(nullptr, "fd77::/112");

  EXPECT_EQ(pool.acquire("a")->v6->to_string(), "fd77::2");
  EXPECT_EQ(pool.size(), 65536u - 2);
}

TEST(AddressPool, EndsBeforeTheBroadcastAddress) {
  AddressPool pool = pool_of("10.77.0.0/29", nullptr);

  std::string last;
  std::size_t count = 0;
  while (const auto lease = pool.acquire("client" + std::to_string(count))) {
    last = lease->v4->to_string();
    ++count;
  }

  EXPECT_EQ(count, 5u);
  EXPECT_EQ(last, "10.77.0.6");
}

TEST(AddressPool, HasNoLimitOfItsOwnForIpv6) {
  AddressPool pool = pool_of(nullptr, "fd77::/64");

  EXPECT_GT(pool.size(), 65536u);
}

TEST(AddressPool, GivesANameItsOldAddressAgain) {
  AddressPool pool = pool_of("10.77.0.0/24", nullptr);
  const Lease first = *pool.acquire("a");
  pool.release(first);
  pool.release(*pool.acquire("b"));

  EXPECT_EQ(pool.acquire("a")->v4, first.v4);
}

TEST(AddressPool, PrefersFreshAddressesAndThenTheOneReleasedLongestAgo) {
  AddressPool pool = pool_of("10.77.0.0/29", nullptr);
  std::vector<Lease> leases;
  for (const char* name : {"a", "b", "c", "d", "e"}) leases.push_back(*pool.acquire(name));
  pool.release(leases[2]);
  pool.release(leases[0]);

  EXPECT_EQ(pool.acquire("new")->v4, leases[2].v4);
  EXPECT_EQ(pool.acquire("newer")->v4, leases[0].v4);
  EXPECT_FALSE(pool.acquire("too late"));
}

TEST(AddressPool, GivesASecondSessionOfANameAnotherAddress) {
  AddressPool pool = pool_of("10.77.0.0/24", nullptr);
  const Lease first = *pool.acquire("a");
  const Lease second = *pool.acquire("a");

  EXPECT_NE(first.v4, second.v4);
}

TEST(AddressPool, IgnoresNamesWhereSeveralMayHaveTheSame) {
  AddressPool pool = pool_of("10.77.0.0/24", nullptr, /*duplicate_cn=*/true);
  const Lease first = *pool.acquire("a");
  const Lease second = *pool.acquire("a");
  pool.release(second);
  pool.release(first);

  EXPECT_EQ(pool.acquire("b")->v4, first.v4);
}

TEST(AddressPool, RemembersLeasesAcrossRestarts) {
  AddressPool before = pool_of("10.77.0.0/24", "fd77::/64");
  static_cast<void>(before.acquire("a"));
  static_cast<void>(before.acquire("client1"));
  const std::string text = before.leases_text();
  EXPECT_EQ(text, "a,10.77.0.2,fd77::1000\nclient1,10.77.0.3,fd77::1001\n");

  AddressPool after = pool_of("10.77.0.0/24", "fd77::/64");
  EXPECT_EQ(after.load_hints(text), 2u);

  EXPECT_EQ(after.acquire("stranger")->v4->to_string(), "10.77.0.4");
  EXPECT_EQ(after.acquire("client1")->v4->to_string(), "10.77.0.3");
}

TEST(AddressPool, TakesHintsOfEitherFamilyAndIgnoresTheRest) {
  AddressPool pool = pool_of("10.77.0.0/24", "fd77::/64");

  EXPECT_EQ(pool.load_hints("# comment\n; comment\n\nshort,10.77.0.9\nv6,,fd77::100a\r\n"
                            "outside,10.99.0.1,\nserver,10.77.0.1,\nbroadcast,10.77.0.255,\n"
                            "twice,10.77.0.9,\nshort,10.77.0.20,\nnonsense\n,10.77.0.30,\n"),
            2u);

  EXPECT_EQ(pool.acquire("short")->v4->to_string(), "10.77.0.9");
  EXPECT_EQ(pool.acquire("v6")->v4->to_string(), "10.77.0.12");
}

TEST(AddressPool, WritesNoNameThatWouldBreakTheFile) {
  AddressPool pool = pool_of("10.77.0.0/24", nullptr);
  for (const char* name : {"a,b", "line\nbreak", "#hash", "", "good"}) {
    static_cast<void>(pool.acquire(name));
  }

  EXPECT_EQ(pool.leases_text(), "good,10.77.0.6,\n");
}

TEST(AddressPool, ForgetsOldNamesBeforeItGrowsBeyondItsMemory) {
  AddressPool pool({.v6 = AddressRange{.first = *IpAddress::parse("fd77::1000"),
                                       .last = *IpAddress::parse("fd77::ffff:ffff")},
                    .remembered_max = 2});
  for (int i = 0; i < 10; ++i) pool.release(*pool.acquire("client" + std::to_string(i)));

  EXPECT_EQ(pool.acquire("new")->v6->to_string(), "fd77::1000");
}

TEST(AddressPool, RemembersMoreThanSixtyFiveThousandClients) {
  AddressPool pool = pool_of(nullptr, "fd77::/64");
  std::string text;
  for (int i = 0; i < 70'000; ++i) {
    text += "client" + std::to_string(i) + ",," +
            IpAddress::parse("fd77::1000")->plus(static_cast<std::uint64_t>(i)).to_string() + "\n";
  }

  EXPECT_EQ(pool.load_hints(text), 70'000u);
  EXPECT_EQ(pool.acquire("client69999")->v6->to_string(), "fd77::1:216f");
  EXPECT_EQ(pool.leases_text(), text);
}

TEST(AddressPool, GivesNobodyWhatIsReservedForAnother) {
  AddressPool pool = pool_of("10.77.0.0/29", "fd77::/64");
  pool.load_hints("early,10.77.0.3,\n");
  pool.reserve("fixed", IpAddress::parse("10.77.0.3"), IpAddress::parse("fd77::1003"));
  pool.reserve("", IpAddress::parse("10.77.0.2"), std::nullopt);

  EXPECT_EQ(pool.acquire("early")->v4->to_string(), "10.77.0.4");
  EXPECT_EQ(pool.acquire("b")->v4->to_string(), "10.77.0.6");
  EXPECT_FALSE(pool.acquire("c"));
}

TEST(AddressPool, GivesANameTheOtherFamilyOfItsReservedAddress) {
  AddressPool pool = pool_of("10.77.0.0/29", "fd77::/64");
  pool.reserve("fixed", IpAddress::parse("10.77.0.5"), std::nullopt);

  const Lease lease = *pool.acquire("fixed");
  EXPECT_EQ(lease.v6->to_string(), "fd77::1003");
  pool.release(lease);

  EXPECT_EQ(pool.acquire("other")->v4->to_string(), "10.77.0.2");
  EXPECT_EQ(pool.acquire("fixed")->v6->to_string(), "fd77::1003");
}

TEST(AddressPool, LeavesAReservedAddressToWhoHasItUntilItIsGivenBack) {
  AddressPool pool = pool_of("10.77.0.0/29", nullptr);
  const Lease lease = *pool.acquire("first");
  pool.reserve("fixed", lease.v4, std::nullopt);
  pool.release(lease);

  for (const char* expected : {"10.77.0.3", "10.77.0.4", "10.77.0.5", "10.77.0.6"}) {
    EXPECT_EQ(pool.acquire(expected)->v4->to_string(), expected);
  }
  EXPECT_FALSE(pool.acquire("first"));
}

TEST(AddressPool, GivesFreeWhatIsReservedNoLonger) {
  AddressPool pool = pool_of("10.77.0.0/29", nullptr);
  pool.reserve("a", IpAddress::parse("10.77.0.2"), std::nullopt);
  pool.reserve("b", IpAddress::parse("10.77.0.2"), std::nullopt);
  EXPECT_EQ(pool.acquire("x")->v4->to_string(), "10.77.0.3");

  pool.reserve("a", IpAddress::parse("10.77.0.5"), std::nullopt);
  EXPECT_EQ(pool.acquire("y")->v4->to_string(), "10.77.0.4");
  pool.reserve("b", std::nullopt, std::nullopt);

  EXPECT_EQ(pool.acquire("z")->v4->to_string(), "10.77.0.6");
  EXPECT_EQ(pool.acquire("last")->v4->to_string(), "10.77.0.2");
  EXPECT_FALSE(pool.acquire("late"));
}

TEST(AddressPool, ReservesNothingOutsideOfItsRange) {
  AddressPool pool = pool_of("10.77.0.0/29", nullptr);
  for (const char* outside : {"10.77.0.1", "10.77.0.7", "10.78.0.2", "fd77::1000"}) {
    pool.reserve(outside, IpAddress::parse(outside), std::nullopt);
  }

  std::size_t count = 0;
  while (pool.acquire("client" + std::to_string(count))) ++count;
  EXPECT_EQ(count, 5u);
  EXPECT_EQ(pool.in_use_count(), 5u);
}

TEST(AddressPool, HasNothingToLeaseWithoutNetworks) {
  AddressPool pool = pool_of(nullptr, nullptr);

  EXPECT_EQ(pool.size(), 0u);
  EXPECT_FALSE(pool.acquire("a"));
}

}  // namespace
}  // namespace ringway
