#include "control/check/address_kind.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(AddressKind, SaysWhoCanReachAnAddress) {
  struct Case {
    const char* address;
    AddressKind kind;
  };
  const Case cases[] = {
      {"203.0.113.5", AddressKind::Public},  {"100.63.255.255", AddressKind::Public},
      {"100.64.0.1", AddressKind::Shared},   {"100.127.255.255", AddressKind::Shared},
      {"100.128.0.0", AddressKind::Public},  {"192.0.0.2", AddressKind::Shared},
      {"192.0.0.8", AddressKind::Public},    {"10.1.2.3", AddressKind::Private},
      {"172.31.0.1", AddressKind::Private},  {"172.32.0.1", AddressKind::Public},
      {"192.168.9.9", AddressKind::Private}, {"169.254.1.1", AddressKind::LinkLocal},
      {"127.0.1.1", AddressKind::Loopback},  {"2001:db8::1", AddressKind::Public},
      {"fd00::1", AddressKind::Private},     {"fe80::1", AddressKind::LinkLocal},
      {"::1", AddressKind::Loopback},
  };
  for (const Case& row : cases) {
    EXPECT_EQ(kind_of(*IpAddress::parse(row.address)), row.kind) << row.address;
  }
}

TEST(AddressKind, NetworksOverlapWhenOneHoldsTheOther) {
  const auto prefix = [](const char* text) { return *Prefix::parse(text); };

  EXPECT_TRUE(overlap(prefix("10.8.0.0/24"), prefix("10.0.0.0/8")));
  EXPECT_TRUE(overlap(prefix("10.0.0.0/8"), prefix("10.8.0.0/24")));
  EXPECT_FALSE(overlap(prefix("10.8.0.0/24"), prefix("10.8.1.0/24")));
  EXPECT_FALSE(overlap(prefix("0.0.0.0/0"), prefix("fd00::/8")));
  EXPECT_TRUE(overlap(prefix("fd00::/8"), prefix("fd00:8::/64")));
}

}  // namespace
}  // namespace ringway
