#include "control/address_watch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr Instant kStart{Duration{3600s}};

LinkAddress address(const std::string& text, std::uint8_t length = 64) {
  return {.address = *IpAddress::parse(text), .prefix_length = length};
}

HostLink link(const std::string& name, std::vector<LinkAddress> addresses, bool is_up = true) {
  return {.name = name, .index = 2, .is_up = is_up, .addresses = std::move(addresses)};
}

ServerConfig listening_on(const std::string& literal) {
  ServerConfig config;
  config.listen = {{.address = IpAddress::parse(literal), .port = 1194},
                   {.address = IpAddress::parse(literal), .port = 1195}};
  return config;
}

ServerConfig listening_on_all(LinkFamily family = LinkFamily::Both) {
  ServerConfig config;
  config.listen = {{.port = 1194, .family = family}};
  return config;
}

std::vector<std::string> lines_of(AddressWatch& watch) {
  std::vector<std::string> lines;
  while (const auto note = watch.poll_note()) {
    const bool is_warning = note->level == AddressNote::Level::Warning;
    lines.push_back((is_warning ? "W " : "I ") + note->text);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(AddressWatch, SaysOnceThatAListenersAddressIsGoneAndThatItIsBack) {
  const HostLink with = link("eth0", {address("2001:db8::1")});
  AddressWatch watch(listening_on("2001:db8::1"), "tun0", {with});

  watch.handle_links({link("eth0", {})}, kStart);
  EXPECT_EQ(lines_of(watch), Lines{"W local 2001:db8::1 is gone from eth0: clients that use it "
                                   "cannot be answered until it returns"});
  watch.handle_links({with}, kStart);
  EXPECT_EQ(lines_of(watch),
            Lines{"I local 2001:db8::1 is back, on eth0: clients are served by it again"});
  watch.handle_links({with}, kStart);
  EXPECT_EQ(lines_of(watch), Lines{});
}

TEST(AddressWatch, SaysNothingOfOtherAddressesWhenTheListenersAreLiteral) {
  AddressWatch watch(listening_on("2001:db8::1"), "tun0", {link("eth0", {address("2001:db8::1")})});

  watch.handle_links({link("eth0", {address("2001:db8::1"), address("2001:db8:9::1")})}, kStart);

  EXPECT_EQ(lines_of(watch), Lines{});
}

TEST(AddressWatch, TellsOfARenumberedPrefixWhenEveryAddressIsServed) {
  AddressWatch watch(listening_on_all(), "tun0", {link("ppp0", {address("2001:db8:1::5")})});

  watch.handle_links({link("ppp0", {address("2001:db8:2::5")})}, kStart);

  EXPECT_EQ(lines_of(watch),
            (Lines{"I ppp0 has the new address 2001:db8:2::5 (in 2001:db8:2::/64), which is served "
                   "at once; if clients use a name, see that its AAAA record says so",
                   "W 2001:db8:1::5 is gone from ppp0: clients that use it connect anew by another "
                   "address; take it out of the AAAA record"}));
}

TEST(AddressWatch, TellsOfAPrefixThatTheRouterHasWithdrawn) {
  LinkAddress old = address("2001:db8:1::5");
  AddressWatch all(listening_on_all(), "tun0", {link("eth0", {old})});
  AddressWatch literal(listening_on("2001:db8:1::5"), "tun0", {link("eth0", {old})});
  old.is_deprecated = true;

  all.handle_links({link("eth0", {old})}, kStart);
  literal.handle_links({link("eth0", {old})}, kStart);

  EXPECT_EQ(lines_of(all).size(), 1u);
  const Lines lines = lines_of(literal);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("W local 2001:db8:1::5 is deprecated")) << lines[0];
}

TEST(AddressWatch, LeavesOutWhatNoClientComesInBy) {
  LinkAddress temporary = address("2001:db8::a:b:c:d");
  temporary.is_temporary = true;
  AddressWatch watch(listening_on_all(LinkFamily::V6Only), "tun0", {link("eth0", {})});

  watch.handle_links({link("eth0", {temporary, address("fe80::1"), address("192.0.2.1", 24)}),
                      link("tun0", {address("fd00:8::1")}), link("lo", {address("::1", 128)})},
                     kStart);

  EXPECT_EQ(lines_of(watch), Lines{});
}

TEST(AddressWatch, TellsOfAnInterfaceThatIsDownAndUpAgainWhenAListenerHasItsAddress) {
  const std::vector<LinkAddress> own = {address("192.0.2.1", 24)};
  AddressWatch watch(listening_on("192.0.2.1"), "tun0", {link("eth0", own), link("eth1", {})});

  watch.handle_links({link("eth0", own, false), link("eth1", {}, false)}, kStart);
  EXPECT_EQ(lines_of(watch), Lines{"W eth0 is down: clients do not reach its addresses by it"});
  watch.handle_links({link("eth0", own), link("eth1", {})}, kStart);
  EXPECT_EQ(lines_of(watch), Lines{"I eth0 is up again"});
}

TEST(AddressWatch, SaysThatADeviceMadeAnewNeedsARestart) {
  ServerConfig config = listening_on_all();
  config.outside.device = "ppp0";
  HostLink device = link("ppp0", {});
  AddressWatch watch(config, "tun0", {device});

  watch.handle_links({}, kStart);
  EXPECT_EQ(lines_of(watch), Lines{"W bind-dev ppp0 is gone: no client can be served without it"});
  device.index = 7;
  watch.handle_links({device}, kStart);
  const Lines lines = lines_of(watch);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("W bind-dev ppp0 was made anew")) << lines[0];
}

TEST(AddressWatch, SaysALimitedNumberOfLinesAMinuteAndHowManyItLeftOut) {
  AddressWatch watch(listening_on_all(), "tun0", {link("eth0", {})});
  std::vector<LinkAddress> many;
  for (int i = 0; i < 40; ++i) many.push_back(address(fmt::format("2001:db8::{}", i + 1)));

  watch.handle_links({link("eth0", many)}, kStart);
  EXPECT_EQ(lines_of(watch).size(), AddressWatch::kNotesPerWindow);
  ASSERT_TRUE(watch.poll_timeout());
  EXPECT_EQ(*watch.poll_timeout(), kStart + AddressWatch::kWindow);

  watch.handle_timeout(*watch.poll_timeout());
  EXPECT_EQ(lines_of(watch), Lines{"I 28 more changes of the host's addresses were not logged; see "
                                   "`ip address`"});
  EXPECT_FALSE(watch.poll_timeout());
}

}  // namespace
}  // namespace ringway
