#include "control/listener_names.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace ringway {
namespace {

ListenConfig named(const std::string& host, LinkFamily family = LinkFamily::Both) {
  return {.port = 1194, .family = family, .host = host, .where = "server.conf:3"};
}

NameLookup answering(std::vector<std::string> addresses) {
  return [addresses = std::move(addresses)](const std::string&, LinkFamily) {
    std::vector<Endpoint> endpoints;
    for (const std::string& text : addresses) endpoints.push_back({*IpAddress::parse(text)});
    return Result<std::vector<Endpoint>>(std::move(endpoints));
  };
}

TEST(ListenerNames, MakeAListenerOfEachAddress) {
  const auto listens =
      resolve_listeners({named("vpn.example.net")}, answering({"2001:db8::1", "192.0.2.1"}));

  ASSERT_TRUE(listens);
  ASSERT_EQ(listens->size(), 2u);
  EXPECT_EQ((*listens)[0].address, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ((*listens)[0].family, LinkFamily::V6Only);
  EXPECT_EQ((*listens)[1].address, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ((*listens)[1].family, LinkFamily::V4Only);
  EXPECT_EQ((*listens)[1].host, "vpn.example.net");
}

TEST(ListenerNames, LeaveListenersWithoutANameAlone) {
  const auto listens = resolve_listeners({ListenConfig{.port = 7}}, [](const auto&, LinkFamily) {
    return Result<std::vector<Endpoint>>(fail("nobody asks"));
  });

  ASSERT_TRUE(listens);
  ASSERT_EQ(listens->size(), 1u);
  EXPECT_FALSE(listens->front().address);
}

TEST(ListenerNames, ServeAnAddressOnceThatTwoLinesName) {
  ListenConfig literal{.address = IpAddress::parse("192.0.2.1"), .port = 1194};

  const auto listens = resolve_listeners({named("a.example.net"), named("b.example.net"), literal},
                                         answering({"192.0.2.1", "192.0.2.2"}));

  ASSERT_TRUE(listens);
  EXPECT_EQ(listens->size(), 2u);
}

TEST(ListenerNames, SayWhichLineNamesWhatIsNowhere) {
  const auto nowhere = [](const std::string&, LinkFamily) {
    return Result<std::vector<Endpoint>>(fail("cannot find it", "", "check the name"));
  };

  EXPECT_EQ(resolve_listeners({named("x.invalid")}, nowhere).error().to_string(),
            "server.conf:3: `local x.invalid`: cannot find it — check the name");
  EXPECT_EQ(resolve_listeners({named("x.invalid", LinkFamily::V6Only)}, nowhere).error().advice,
            "check the name, or write `local x.invalid 1194 udp`, which takes either family");
}

TEST(ListenerNames, RefuseANameWithMoreAddressesThanListeners) {
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= kListenersMax; ++i) many.push_back(fmt::format("192.0.2.{}", i + 1));

  const auto listens = resolve_listeners({named("many.example.net")}, answering(many));

  ASSERT_FALSE(listens);
  EXPECT_NE(listens.error().what.find("16 listeners are allowed"), std::string::npos);
}

TEST(ListenerNames, KnowWhatThisMachineAloneCanReach) {
  EXPECT_TRUE(is_loopback(*IpAddress::parse("127.0.1.1")));
  EXPECT_TRUE(is_loopback(*IpAddress::parse("::1")));
  EXPECT_FALSE(is_loopback(*IpAddress::parse("128.0.0.1")));
  EXPECT_FALSE(is_loopback(*IpAddress::parse("::2")));
}

}  // namespace
}  // namespace ringway
