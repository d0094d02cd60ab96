#include "dataplane/route_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/dataplane/datapath_rig.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::address;
using test::prefix;

constexpr PeerId kA{1};
constexpr PeerId kB{2};
constexpr PeerId kNobody{};

DatapathSettings without_pools() {
  DatapathSettings settings;
  settings.sessions_max = 64;
  return settings;
}

TEST(RouteTable, FindsHostsOfBothFamilies) {
  RouteTable routes(without_pools());
  ASSERT_TRUE(routes.add(prefix("10.8.0.2/32"), kA));
  ASSERT_TRUE(routes.add(prefix("fd00::2/128"), kB));

  EXPECT_EQ(routes.find(address("10.8.0.2")), kA);
  EXPECT_EQ(routes.find(address("fd00::2")), kB);
  EXPECT_EQ(routes.find(address("10.8.0.3")), kNobody);
  EXPECT_EQ(routes.find(address("fd00::3")), kNobody);
}

TEST(RouteTable, PrefersTheLongestMatch) {
  RouteTable routes(without_pools());
  ASSERT_TRUE(routes.add(prefix("10.0.0.0/8"), kA));
  ASSERT_TRUE(routes.add(prefix("10.1.0.0/16"), kB));
  ASSERT_TRUE(routes.add(prefix("10.1.2.3/32"), kA));

  EXPECT_EQ(routes.find(address("10.2.0.1")), kA);
  EXPECT_EQ(routes.find(address("10.1.0.1")), kB);
  EXPECT_EQ(routes.find(address("10.1.2.3")), kA);
  EXPECT_EQ(routes.find(address("11.0.0.1")), kNobody);
}

TEST(RouteTable, KeepsTheDefaultRoutesOfTheFamiliesApart) {
  RouteTable routes(without_pools());
  ASSERT_TRUE(routes.add(prefix("::/0"), kA));
  EXPECT_EQ(routes.find(address("2001:db8::1")), kA);
  EXPECT_EQ(routes.find(address("192.0.2.1")), kNobody);

  ASSERT_TRUE(routes.add(prefix("0.0.0.0/0"), kB));
  EXPECT_EQ(routes.find(address("2001:db8::1")), kA);
  EXPECT_EQ(routes.find(address("192.0.2.1")), kB);
}

TEST(RouteTable, GivesAPrefixToItsLatestOwner) {
  RouteTable routes(without_pools());
  ASSERT_TRUE(routes.add(prefix("10.8.0.2/32"), kA));
  ASSERT_TRUE(routes.add(prefix("10.8.0.2/32"), kB));
  routes.remove(prefix("10.8.0.2/32"), kA);

  EXPECT_EQ(routes.find(address("10.8.0.2")), kB);
  EXPECT_EQ(routes.size(), 1u);
}

TEST(RouteTable, ForgetsARemovedRoute) {
  RouteTable routes(without_pools());
  ASSERT_TRUE(routes.add(prefix("10.1.0.0/16"), kA));
  ASSERT_TRUE(routes.add(prefix("10.1.1.0/24"), kB));
  routes.remove(prefix("10.1.1.0/24"), kB);
  EXPECT_EQ(routes.find(address("10.1.1.1")), kA);

  routes.remove(prefix("10.1.0.0/16"), kA);
  routes.remove(prefix("10.1.0.0/16"), kA);
  EXPECT_EQ(routes.find(address("10.1.1.1")), kNobody);
  EXPECT_EQ(routes.size(), 0u);
}

TEST(RouteTable, RefusesAnImpossibleLength) {
  RouteTable routes(without_pools());
  EXPECT_FALSE(routes.add({.address = address("10.0.0.0"), .length = 33}, kA));
  EXPECT_FALSE(routes.add({.address = address("fd00::"), .length = 129}, kA));
  EXPECT_EQ(routes.size(), 0u);
}

TEST(RouteTable, IsBounded) {
  DatapathSettings settings;
  settings.sessions_max = 1;
  RouteTable routes(settings);
  for (std::size_t i = 0; i < RouteTable::kRoutesPerSession; ++i)
    ASSERT_TRUE(routes.add(Prefix::host(address("10.8.0.2").plus(i)), kA));

  EXPECT_FALSE(routes.add(prefix("10.9.0.0/16"), kA));
  EXPECT_EQ(routes.find(address("10.9.0.1")), kNobody);
  EXPECT_TRUE(routes.add(prefix("10.8.0.2/32"), kB));
}

// Security goal C01: being the way to everywhere is no claim to the neighbours' addresses.
TEST(RouteTable, GivesAddressesOfAPoolToRoutesInsideItOnly) {
  RouteTable routes(test::rig_settings());
  ASSERT_TRUE(routes.add(prefix("0.0.0.0/0"), kA));
  ASSERT_TRUE(routes.add(prefix("10.0.0.0/8"), kA));
  ASSERT_TRUE(routes.add(prefix("fd00::/32"), kA));
  ASSERT_TRUE(routes.add(prefix("10.8.0.128/25"), kB));

  EXPECT_EQ(routes.find(address("10.8.0.9")), kNobody);
  EXPECT_EQ(routes.find(address("fd00::9")), kNobody);
  EXPECT_EQ(routes.find(address("10.8.0.200")), kB);
  EXPECT_EQ(routes.find(address("10.8.1.9")), kA);
  EXPECT_EQ(routes.find(address("fd00:0:1::9")), kA);
}

TEST(RouteTable, AgreesWithALinearSearch) {
  constexpr std::uint64_t kSeed = 128;
  test::SeededRandom random(kSeed);
  DatapathSettings settings = without_pools();
  random.fill(settings.address_hash.key);
  RouteTable routes(settings);
  std::vector<std::pair<Prefix, PeerId>> model;
  const auto random_address = [&] {
    std::array<std::uint8_t, 16> bytes{};
    // Few different values, so that prefixes nest and addresses hit.
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next() % 2 * 0xff);
    return random.happens(0.5) ? IpAddress::v4(Bytes(bytes).first(4)) : IpAddress::v6(bytes);
  };
  for (int step = 0; step < 3000; ++step) {
    const IpAddress base = random_address();
    const auto length = static_cast<std::uint8_t>(random.next() % (base.is_v4() ? 33 : 129));
    const auto network = Prefix::parse(base.to_string() + "/" + std::to_string(length), true);
    ASSERT_TRUE(network);
    const auto known = std::ranges::find(model, *network, &std::pair<Prefix, PeerId>::first);
    if (known != model.end()) {
      routes.remove(*network, known->second);
      model.erase(known);
    } else if (model.size() < 200) {
      const PeerId peer{static_cast<std::uint32_t>(random.next() % 1000)};
      ASSERT_TRUE(routes.add(*network, peer));
      model.emplace_back(*network, peer);
    }

    const IpAddress probe = random_address();
    PeerId expected;
    int longest = -1;
    for (const auto& [candidate, peer] : model) {
      if (candidate.contains(probe) && candidate.length > longest) {
        longest = candidate.length;
        expected = peer;
      }
    }
    ASSERT_EQ(routes.find(probe), expected)
        << "seed " << kSeed << " step " << step << " " << probe.to_string();
  }
}

}  // namespace
}  // namespace ringway
