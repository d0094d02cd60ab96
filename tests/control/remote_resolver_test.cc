#include "control/remote_resolver.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

RemoteConfig remote(const std::string& host, LinkFamily family) {
  return {.host = host, .port = 1195, .family = family, .where = "me.ovpn:4"};
}

TEST(RemoteResolver, TakesLiteralAddressesOfBothFamilies) {
  const auto v4 = resolve_remote(remote("192.0.2.1", LinkFamily::Both));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->front().to_string(), "192.0.2.1:1195");
  EXPECT_TRUE(v4->front().address.is_v4());

  const auto v6 = resolve_remote(remote("2001:db8::1", LinkFamily::V6Only));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->front().to_string(), "[2001:db8::1]:1195");
}

TEST(RemoteResolver, NamesTheLineThatAsksForTheWrongFamily) {
  const auto wrong = resolve_remote(remote("192.0.2.1", LinkFamily::V6Only));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().where, "me.ovpn:4");
  EXPECT_NE(wrong.error().advice.find("`udp`"), std::string::npos);
}

}  // namespace
}  // namespace ringway
