#include "control/push_change.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Options = std::vector<std::string>;

Options change(const Options& before, const Options& after) {
  return PushChange::between(before, after).options;
}

TEST(PushChange, SaysAllLinesOfANameThatDiffers) {
  EXPECT_EQ(change({"route 10.1.0.0 255.255.0.0", "dns search a"},
                   {"route 10.1.0.0 255.255.0.0", "route 10.2.0.0 255.255.0.0", "dns search a"}),
            (Options{"route 10.1.0.0 255.255.0.0", "route 10.2.0.0 255.255.0.0"}));
}

TEST(PushChange, TakesAwayWhatHasGone) {
  EXPECT_EQ(change({"block-ipv6", "route-ipv6 fd00::/64"}, {"block-ipv6"}),
            (Options{"-route-ipv6"}));
}

TEST(PushChange, SaysNothingOfWhatStays) {
  const Options same = {"route-gateway 10.8.0.1", "dhcp-option DNS 10.8.0.1"};
  EXPECT_TRUE(PushChange::between(same, same).empty());
}

TEST(PushChange, NamesWhatNoClientTakesThisWay) {
  const PushChange found =
      PushChange::between(Options{"explicit-exit-notify 1"}, Options{"inactive 60", "block-ipv6"});
  EXPECT_EQ(found.options, (Options{"block-ipv6"}));
  EXPECT_EQ(found.unsaid, (Options{"inactive", "explicit-exit-notify"}));
}

TEST(PushChange, SaysNothingThatWouldBeReadAsARemoval) {
  const PushChange found = PushChange::between(Options{}, Options{"-route", "?dns search a"});
  EXPECT_TRUE(found.options.empty());
  EXPECT_EQ(found.unsaid, (Options{"-route", "?dns"}));
}

}  // namespace
}  // namespace ringway
