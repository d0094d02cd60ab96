#include "control/config/tunnel_addresses.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TunnelConfig tunnel_of(const char* v4, const char* v6) {
  TunnelConfig tunnel;
  if (v4 != nullptr) tunnel.network_v4 = Prefix::parse(v4);
  if (v6 != nullptr) tunnel.network_v6 = Prefix::parse(v6);
  return tunnel;
}

AddressRange range_of(const char* first, const char* last) {
  return {.first = *IpAddress::parse(first), .last = *IpAddress::parse(last)};
}

TEST(TunnelAddresses, TakeTheFirstForTheServerAndLeaveTheBroadcastAddressOut) {
  const TunnelConfig tunnel = tunnel_of("10.8.0.0/24", "fd00:8::/64");

  EXPECT_EQ(own_address_v4(tunnel), IpAddress::parse("10.8.0.1"));
  EXPECT_EQ(own_address_v6(tunnel), IpAddress::parse("fd00:8::1"));
  EXPECT_EQ(client_range_v4(tunnel), range_of("10.8.0.2", "10.8.0.254"));
  EXPECT_EQ(client_range_v6(tunnel), range_of("fd00:8::1000", "fd00:8::ffff:ffff:ffff:ffff"));
  EXPECT_EQ(client_range_v6(tunnel_of(nullptr, "fd00:8::/112")),
            range_of("fd00:8::2", "fd00:8::ffff"));
}

TEST(TunnelAddresses, FollowWhatIsWrittenInstead) {
  TunnelConfig tunnel = tunnel_of("10.8.0.0/24", "fd00:8::/64");
  tunnel.address_v4 = IpAddress::parse("10.8.0.254");
  tunnel.address_v6 = IpAddress::parse("fd00:8::fe");
  tunnel.range_v4 = range_of("10.8.0.9", "10.8.0.10");
  tunnel.pool_v6 = false;

  EXPECT_EQ(own_address_v4(tunnel), tunnel.address_v4);
  EXPECT_EQ(own_address_v6(tunnel), tunnel.address_v6);
  EXPECT_EQ(client_range_v4(tunnel), tunnel.range_v4);
  EXPECT_EQ(client_range_v6(tunnel), std::nullopt);
  EXPECT_EQ(pool_size(tunnel), 2u);
}

TEST(TunnelAddresses, AreNoneOutsideOfANetwork) {
  EXPECT_EQ(own_address_v4(tunnel_of(nullptr, "fd00::/64")), std::nullopt);
  EXPECT_EQ(client_range_v4(tunnel_of("10.8.0.0/31", nullptr)), std::nullopt);
  EXPECT_EQ(client_range_v4(tunnel_of("10.8.0.0/32", nullptr)), std::nullopt);
  EXPECT_EQ(client_range_v6(tunnel_of(nullptr, "fd00::/128")), std::nullopt);
  EXPECT_EQ(pool_size(tunnel_of(nullptr, nullptr)), std::nullopt);
}

TEST(TunnelAddresses, CountThePool) {
  const struct {
    const char* v4;
    const char* v6;
    std::uint64_t size;
  } kRows[] = {
      {"10.8.0.0/29", nullptr, 5},
      {"10.8.0.0/24", nullptr, 253},
      {"10.0.0.0/8", nullptr, 16'777'213},
      // OpenVPN's pools end at 65,536.
      {nullptr, "fd00::/64", UINT64_MAX - 0xfff},
      {nullptr, "fd00::/112", 65534},
      {nullptr, "fd00::/124", 14},
      // The smaller of both.
      {"10.8.0.0/24", "fd00::/124", 14},
      {"10.8.0.0/24", "fd00::/64", 253},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(pool_size(tunnel_of(row.v4, row.v6)), row.size) << row.size;
  }
}

TEST(TunnelAddresses, CountRangesOfAllSizes) {
  EXPECT_EQ(size_of(range_of("10.0.0.1", "10.0.0.1")), 1u);
  EXPECT_EQ(size_of(range_of("10.0.0.2", "10.0.0.1")), 0u);
  EXPECT_EQ(size_of(range_of("fd00::", "fd00::ffff:ffff:ffff:ffff")), UINT64_MAX);
  EXPECT_EQ(size_of(range_of("fd00::", "fd00:0:0:1::")), UINT64_MAX);
}

}  // namespace
}  // namespace ringway
