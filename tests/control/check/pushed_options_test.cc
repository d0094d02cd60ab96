#include "control/check/pushed_options.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

PushedRoutes pushing(std::vector<std::string> options) {
  ServerConfig config;
  config.push = std::move(options);
  return pushed_routes(config);
}

TEST(PushedOptions, LeadBothFamiliesWhenSaidSo) {
  EXPECT_TRUE(pushing({"redirect-gateway def1"}).redirects_v4);
  EXPECT_FALSE(pushing({"redirect-gateway def1"}).redirects_v6);
  EXPECT_TRUE(pushing({"redirect-gateway def1 ipv6"}).redirects_v6);
  EXPECT_FALSE(pushing({"redirect-gateway ipv6 !ipv4"}).redirects_v4);
  EXPECT_TRUE(pushing({"block-ipv6"}).blocks_v6);
  EXPECT_FALSE(pushing({}).redirects_v4);
}

TEST(PushedOptions, HaveRoutesOfBothFamilies) {
  const PushedRoutes pushed =
      pushing({"route 10.0.0.0 255.0.0.0 vpn_gateway", "route 192.0.2.9", "route-ipv6 fd00::/8",
               "route", "route nonsense", "ping 10"});

  EXPECT_EQ(pushed.routes,
            (std::vector<Prefix>{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("192.0.2.9/32"),
                                 *Prefix::parse("fd00::/8")}));
}

}  // namespace
}  // namespace ringway
