#include "control/path_hints.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const std::vector<Endpoint> kListeners = {{.address = ip("192.0.2.1"), .port = 1194},
                                          {.address = {}, .port = 443}};
const Endpoint kClient{.address = ip("198.51.100.7"), .port = 40'000};

TEST(PathHints, AreForTheListenerThatSentTheDatagram) {
  PathHints hints(kListeners);

  const auto first = hints.admit(
      {.from = {.address = ip("192.0.2.1"), .port = 1194}, .to = kClient, .mtu = 1400}, {});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->to.remote, kClient);
  EXPECT_EQ(first->to.local, ip("192.0.2.1"));
  EXPECT_EQ(first->to.listener, 0);
  EXPECT_EQ(first->mtu, 1400);
  const auto any = hints.admit(
      {.from = {.address = ip("2001:db8::1"), .port = 443}, .to = kClient, .mtu = 1280}, {});
  ASSERT_TRUE(any);
  EXPECT_EQ(any->to.listener, 1);
}

TEST(PathHints, AboutOthersAreDropped) {
  PathHints hints(kListeners);

  for (const Endpoint& from : {Endpoint{.address = ip("192.0.2.2"), .port = 1194},
                               Endpoint{.address = ip("192.0.2.1"), .port = 1195}}) {
    EXPECT_FALSE(hints.admit({.from = from, .to = kClient, .mtu = 1400}, {}));
  }
}

TEST(PathHints, AreFewHoweverManyComeAndDoNotStopForGood_C08) {
  PathHints hints(kListeners);
  const IcmpHint forged{.from = {.address = {}, .port = 443}, .to = kClient, .mtu = 576};
  unsigned admitted = 0;
  for (int i = 0; i < 100'000; ++i) {
    admitted += hints.admit(forged, Instant{i * 20us}) ? 1 : 0;
  }

  EXPECT_EQ(admitted, 2 * PathHints::kPerSecond);
  EXPECT_TRUE(hints.admit(forged, Instant{10s}));
}

}  // namespace
}  // namespace ringway
