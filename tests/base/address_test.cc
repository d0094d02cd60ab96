#include "base/address.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace ringway {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "fe80::1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(IpAddress, TakesAV4MappedTextForIPv4) {
  const auto address = IpAddress::parse("::ffff:192.0.2.1");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->is_v4());
  EXPECT_EQ(address->to_string(), "192.0.2.1");
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "1.2.3", "256.0.0.1", "2001:db8::g", "1.2.3.4/24", "[::1]"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, CountsUpwards) {
  EXPECT_EQ(IpAddress::parse("10.8.0.255")->plus(1).to_string(), "10.8.1.0");
  EXPECT_EQ(IpAddress::parse("fd00::ffff")->plus(1).to_string(), "fd00::1:0");
}

TEST(Prefix, KnowsWhatItContains) {
  const auto v4 = Prefix::parse("10.8.0.0/20");
  const auto v6 = Prefix::parse("2001:db8::/33");
  ASSERT_TRUE(v4 && v6);

  EXPECT_TRUE(v4->contains(*IpAddress::parse("10.8.15.255")));
  EXPECT_FALSE(v4->contains(*IpAddress::parse("10.8.16.0")));
  EXPECT_FALSE(v4->contains(*IpAddress::parse("::")));
  EXPECT_TRUE(v6->contains(*IpAddress::parse("2001:db8:7fff::1")));
  EXPECT_FALSE(v6->contains(*IpAddress::parse("2001:db8:8000::1")));
}

TEST(Prefix, ContainsWhatHasItsFirstBitsOfEveryLength) {
  std::array<std::uint8_t, 16> bytes;
  bytes.fill(0x5a);
  const IpAddress address = IpAddress::v6(bytes);
  for (std::uint8_t length = 0; length <= 128; ++length) {
    const Prefix prefix{address, length};
    EXPECT_TRUE(prefix.contains(address)) << int{length};
    for (unsigned bit = 0; bit < 128; ++bit) {
      std::array<std::uint8_t, 16> other = bytes;
      other[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
      EXPECT_EQ(prefix.contains(IpAddress::v6(other)), bit >= length) << int{length} << ' ' << bit;
    }
  }
  for (std::uint8_t length = 0; length <= 32; ++length) {
    const Prefix prefix{IpAddress::v4(0x5a5a5a5a), length};
    for (unsigned bit = 0; bit < 32; ++bit) {
      const IpAddress other = IpAddress::v4(0x5a5a5a5au ^ 0x80000000u >> bit);
      EXPECT_EQ(prefix.contains(other), bit >= length) << int{length} << ' ' << bit;
    }
  }
}

TEST(Prefix, RefusesHostBitsUnlessTheyAreToBeMasked) {
  EXPECT_FALSE(Prefix::parse("10.8.0.1/24"));
  ASSERT_TRUE(Prefix::parse("10.8.0.1/24", true));
  EXPECT_EQ(Prefix::parse("10.8.0.1/24", true)->to_string(), "10.8.0.0/24");
  EXPECT_EQ(Prefix::parse("2001:db8::1/64", true)->to_string(), "2001:db8::/64");
}

TEST(Prefix, ReadsOpenVpnsNetworkAndMask) {
  EXPECT_EQ(Prefix::parse_v4("10.8.0.0", "255.255.240.0")->to_string(), "10.8.0.0/20");
  EXPECT_EQ(Prefix::parse_v4("0.0.0.0", "0.0.0.0")->to_string(), "0.0.0.0/0");
  EXPECT_EQ(Prefix::parse_v4("10.8.0.7", "255.255.255.255")->to_string(), "10.8.0.7/32");
  EXPECT_FALSE(Prefix::parse_v4("10.8.0.0", "255.0.255.0"));
  EXPECT_FALSE(Prefix::parse_v4("10.8.0.1", "255.255.255.0"));
}

TEST(Endpoint, PutsIPv6InBrackets) {
  EXPECT_EQ((Endpoint{*IpAddress::parse("2001:db8::1"), 1194}).to_string(), "[2001:db8::1]:1194");
  EXPECT_EQ((Endpoint{*IpAddress::parse("192.0.2.1"), 1194}).to_string(), "192.0.2.1:1194");
}

TEST(AddressHash, DependsOnItsKey) {  // A23
  const AddressHash one{{1}};
  const AddressHash two{{2}};
  const Endpoint endpoint{*IpAddress::parse("192.0.2.1"), 1194};
  EXPECT_EQ(one(endpoint), one(endpoint));
  EXPECT_NE(one(endpoint), two(endpoint));
}

}  // namespace
}  // namespace ringway
