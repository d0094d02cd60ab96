#include "control/config/config_derive.h"

#include <gtest/gtest.h>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

struct Listens {
  const char* lines;
  LinkFamily family;
  const char* address;
};

TEST(ConfigDerive, ServesTheFamiliesThatProtoAndLocalName) {
  const Listens cases[] = {
      {"", LinkFamily::Both, ""},
      {"proto udp", LinkFamily::Both, ""},
      {"proto udp4", LinkFamily::V4Only, ""},
      {"proto udp6", LinkFamily::Both, ""},
      {"proto udp6\nbind ipv6only", LinkFamily::V6Only, ""},
      {"bind", LinkFamily::Both, ""},
      {"local *", LinkFamily::Both, ""},
      {"local ::", LinkFamily::Both, ""},
      {"local [::]", LinkFamily::Both, ""},
      {"local [2001:db8::1]", LinkFamily::V6Only, "2001:db8::1"},
      {"local 0.0.0.0", LinkFamily::V4Only, ""},
      {"local 192.0.2.1", LinkFamily::V4Only, "192.0.2.1"},
      {"local 2001:db8::1", LinkFamily::V6Only, "2001:db8::1"},
      {"proto udp4\nlocal 192.0.2.1", LinkFamily::V4Only, "192.0.2.1"},
      {"proto udp6\nlocal 2001:db8::1", LinkFamily::V6Only, "2001:db8::1"},
      {"local * 1194 udp4", LinkFamily::V4Only, ""},
  };
  for (const Listens& expected : cases) {
    const auto config = parse_with_required(expected.lines);
    ASSERT_TRUE(config) << error_of(config);
    ASSERT_EQ(config->listen.size(), 1u);
    EXPECT_EQ(config->listen[0].family, expected.family) << expected.lines;
    const auto& address = config->listen[0].address;
    EXPECT_EQ(address ? address->to_string() : "", expected.address) << expected.lines;
    EXPECT_EQ(config->listen[0].port, 1194);
  }
}

TEST(ConfigDerive, SaysThatUdpMeansBothFamilies) {
  const std::string text = "where OpenVPN serves IPv4 only";
  EXPECT_TRUE(has_note(*parse_with_required("proto udp"), text));
  EXPECT_FALSE(has_note(*parse_with_required("proto udp4"), text));
  EXPECT_FALSE(has_note(*parse_with_required("proto udp6"), text));
  EXPECT_FALSE(has_note(*parse_with_required("local 192.0.2.1"), text));
}

TEST(ConfigDerive, ListensOnEachLocalLine) {
  const auto config = parse_with_required(
      "port 7\nlocal 192.0.2.1\nlocal 192.0.2.1 8\nlocal 2001:db8::1\nlocal * 9 udp4\n"
      "local :: 9 udp4");
  EXPECT_FALSE(config) << "an IPv6 address with udp4";

  const auto listens = parse_with_required(
      "port 7\nlocal 192.0.2.1\nlocal 192.0.2.1 8\nlocal 2001:db8::1\nlocal * 9 udp4");
  ASSERT_TRUE(listens) << error_of(listens);
  ASSERT_EQ(listens->listen.size(), 4u);
  EXPECT_EQ(listens->listen[1].port, 8);
  EXPECT_EQ(listens->listen[3].proto_text, "udp4");
}

TEST(ConfigDerive, ListensOnEachPortOfARange) {
  const auto config = parse_with_required(
      "port 1194-1196\nlocal 192.0.2.1\nlocal [::] 443-444 udp6\nlocal 2001:db8::1 65534-65535");

  ASSERT_TRUE(config) << error_of(config);
  std::vector<std::uint16_t> ports;
  for (const ListenConfig& listen : config->listen) ports.push_back(listen.port);
  EXPECT_EQ(ports, (std::vector<std::uint16_t>{1194, 1195, 1196, 443, 444, 65534, 65535}));
  EXPECT_EQ(config->listen[2].address, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(config->listen[4].proto_text, "udp6");
  EXPECT_EQ(parse_with_required("port 7-7")->listen.size(), 1u);
}

TEST(ConfigDerive, RefusesPortsThatAreNone) {
  const char* ports[] = {"0",  "0-5", "5-0",   "65536", "1-65536", "6-5", "-5",
                         "5-", "-",   "1-2-3", "a",     "+5",      "5x",  "\"\""};
  for (const std::string port : ports) {
    EXPECT_FALSE(parse_with_required("port " + port)) << port;
    EXPECT_FALSE(parse_with_required("local * " + port)) << port;
  }
  for (const char* address : {"[192.0.2.1]", "[::", "::]", "[]", "[", "]"}) {
    EXPECT_FALSE(parse_with_required(std::string("local ") + address)) << address;
  }
}

TEST(ConfigDerive, RefusesListenersThatMeet) {
  const char* meet[] = {
      "local 192.0.2.1\nlocal 192.0.2.1",
      "local *\nlocal 192.0.2.1",  // One listener without an address has it already.
      "local 2001:db8::1\nlocal * 1194 udp6",
      "local 192.0.2.1\nlocal * 1194 udp4",
      "local * 1194-1196\nlocal * 1196-1198",
  };
  for (const char* lines : meet) {
    const auto config = parse_with_required(lines);
    ASSERT_FALSE(config) << lines;
    EXPECT_NE(error_of(config).find("another `local` line listens on"), std::string::npos);
  }
  const char* apart[] = {
      "local 2001:db8::1\nlocal * 1194 udp4",
      "local 192.0.2.1\nlocal 192.0.2.2\nlocal 2001:db8::1",
      "local * 1194-1196\nlocal * 1197-1198",
  };
  for (const char* lines : apart) EXPECT_TRUE(parse_with_required(lines)) << lines;
}

TEST(ConfigDerive, LimitsTheListeners) {
  std::string lines;
  for (int port = 1; port <= 16; ++port) lines += "local * " + std::to_string(port) + "\n";
  EXPECT_TRUE(parse_with_required(lines));
  EXPECT_FALSE(parse_with_required(lines + "local * 17\n"));

  EXPECT_TRUE(parse_with_required("port 1-16"));
  const auto too_many = parse_with_required("port 1-65535");
  ASSERT_FALSE(too_many);
  EXPECT_NE(error_of(too_many).find("port 17 of this line is one listener too many"),
            std::string::npos);
}

TEST(ConfigDerive, WaitsTwiceAsLongAsItTellsClientsTo) {
  const auto config = parse_with_required("keepalive 10 60");

  ASSERT_TRUE(config);
  EXPECT_EQ(config->timers.ping, 10s);
  EXPECT_EQ(config->timers.ping_restart, 120s);
  const std::vector<std::string> pushed = {"route-gateway 10.8.0.1", "topology subnet", "ping 10",
                                           "ping-restart 60"};
  EXPECT_EQ(config->push, pushed);
}

TEST(ConfigDerive, TakesKeepaliveZeroForOff) {
  const auto config = parse_with_required("keepalive 0 0");

  ASSERT_TRUE(config);
  EXPECT_EQ(config->timers.ping_restart, 0s);
  EXPECT_TRUE(has_note(*config, "without `keepalive`"));
  EXPECT_EQ(config->push.size(), 2u);
}

TEST(ConfigDerive, PushesWhatHelpersImplyBehindThePushLines) {
  const auto config = parse_with_required(
      "server-ipv6 fd00:8::/64\npush \"topology subnet\"\npush \"dhcp-option DNS 10.8.0.1\"");

  ASSERT_TRUE(config);
  const std::vector<std::string> pushed = {"topology subnet", "dhcp-option DNS 10.8.0.1",
                                           "tun-ipv6", "route-gateway 10.8.0.1"};
  EXPECT_EQ(config->push, pushed);
}

TEST(ConfigDerive, ChoosesMssfixByTheMtu) {
  using Mode = TunnelConfig::MssFix::Mode;
  struct Case {
    const char* lines;
    std::uint16_t value;
    Mode mode;
  };
  const Case cases[] = {
      {"", 1492, Mode::Mtu},
      {"tun-mtu 1400", 1400, Mode::Fixed},
      {"tun-mtu 1400\nmssfix", 1492, Mode::Mtu},
      {"mssfix 0", 0, Mode::Payload},
      {"mssfix 1300", 1300, Mode::Payload},
      {"mssfix 1300 mtu", 1300, Mode::Mtu},
      {"mssfix 1300 fixed\ntun-mtu 1400", 1300, Mode::Fixed},
  };
  for (const Case& expected : cases) {
    const auto config = parse_with_required(expected.lines);
    ASSERT_TRUE(config) << error_of(config);
    EXPECT_EQ(config->tunnel.mssfix.value, expected.value) << expected.lines;
    EXPECT_EQ(config->tunnel.mssfix.mode, expected.mode) << expected.lines;
  }
}

TEST(ConfigDerive, FindsTheControlKeyAndItsDirection) {
  const auto none = parse_with_required("");
  EXPECT_EQ(none->wrap.mode, WrapMode::None);
  EXPECT_TRUE(has_note(*none, "any stranger can start a handshake"));

  const auto crypt = parse_with_required("tls-crypt tc.key\nauth MD5");
  EXPECT_EQ(crypt->wrap.mode, WrapMode::TlsCrypt);
  EXPECT_EQ(crypt->wrap.key.path, "tc.key");

  const auto auth = parse_with_required("tls-auth ta.key 0\nauth SHA256");
  EXPECT_EQ(auth->wrap.mode, WrapMode::TlsAuth);
  EXPECT_EQ(auth->wrap.direction, 0);
  EXPECT_EQ(auth->wrap.auth, Digest::Sha256);

  EXPECT_FALSE(parse_with_required("tls-auth ta.key")->wrap.direction);
  EXPECT_EQ(parse_with_required("key-direction 1\ntls-auth ta.key")->wrap.direction, 1);

  const auto block = parse_with_required("tls-auth [inline] 0\n<tls-auth>\nkey\n</tls-auth>");
  ASSERT_TRUE(block) << error_of(block);
  EXPECT_EQ(block->wrap.direction, 0);
  EXPECT_EQ(block->wrap.key.text, "key\n");
}

TEST(ConfigDerive, CountsThePool) {
  const auto size_of_pool = [](const std::string& lines) {
    const auto config = parse_server_config("ca a\ncert b\nkey c\n" + lines, "f", {}, no_such_file);
    EXPECT_TRUE(config) << error_of(config);
    return pool_size(config->tunnel);
  };
  EXPECT_EQ(size_of_pool("server 10.8.0.0 255.255.255.248"), 5u);
  EXPECT_EQ(size_of_pool("server 10.8.0.0 255.255.255.0"), 253u);
  EXPECT_EQ(size_of_pool("server 10.8.0.0 255.255.0.0"), 65533u);
  EXPECT_EQ(size_of_pool("server-ipv6 fd00::/64"), 65536u);
  EXPECT_EQ(size_of_pool("server-ipv6 fd00::/112"), 65534u);
  EXPECT_EQ(size_of_pool("server-ipv6 fd00::/124"), 14u);
  EXPECT_EQ(size_of_pool("server 10.8.0.0 255.255.255.0\nserver-ipv6 fd00::/124"), 14u);
  EXPECT_EQ(size_of_pool("server 10.8.0.0 255.255.255.0 nopool"), std::nullopt);
}

}  // namespace
}  // namespace ringway
