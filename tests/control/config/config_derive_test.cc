#include "control/config/config_derive.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/config/tunnel_addresses.h"
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
      {"local vpn.example.net", LinkFamily::Both, ""},
      {"local vpn.example.net 1194 udp4", LinkFamily::V4Only, ""},
      {"local vpn.example.net 1194 udp6", LinkFamily::V6Only, ""},
      {"local fe80::1%eth0", LinkFamily::V6Only, "fe80::1"},
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

TEST(ConfigDerive, ServesTheFamiliesOverTcpAsOverUdp) {
  const Listens cases[] = {
      {"proto tcp", LinkFamily::Both, ""},
      {"proto tcp-server", LinkFamily::Both, ""},
      {"proto tcp4", LinkFamily::V4Only, ""},
      {"proto tcp4-server", LinkFamily::V4Only, ""},
      {"proto tcp6", LinkFamily::Both, ""},
      {"proto tcp6-server\nbind ipv6only", LinkFamily::V6Only, ""},
      {"local 2001:db8::1 1194 tcp6", LinkFamily::V6Only, "2001:db8::1"},
      {"local * 1194 tcp4-server", LinkFamily::V4Only, ""},
  };
  for (const Listens& expected : cases) {
    const auto config = parse_with_required(expected.lines);
    ASSERT_TRUE(config) << error_of(config);
    ASSERT_EQ(config->listen.size(), 1u);
    EXPECT_TRUE(config->listen[0].is_tcp) << expected.lines;
    EXPECT_EQ(config->listen[0].family, expected.family) << expected.lines;
    const auto& address = config->listen[0].address;
    EXPECT_EQ(address ? address->to_string() : "", expected.address) << expected.lines;
  }
  const std::string text = "`proto tcp` serves IPv4 and IPv6";
  EXPECT_TRUE(has_note(*parse_with_required("proto tcp-server"), text));
  EXPECT_FALSE(has_note(*parse_with_required("proto tcp6-server"), text));
  EXPECT_FALSE(has_note(*parse_with_required("proto udp"), text));
}

TEST(ConfigDerive, ServesUdpAndTcpOnOnePortAndNumbersUdpFirst) {
  const auto config =
      parse_with_required("local * 1194 tcp\nlocal * 1194 udp\nlocal * 443 tcp4\nlocal * 53 udp");

  ASSERT_TRUE(config) << error_of(config);
  ASSERT_EQ(config->listen.size(), 4u);
  std::string order;
  for (const ListenConfig& listen : config->listen) {
    order += std::to_string(listen.port) + (listen.is_tcp ? "t " : "u ");
  }
  EXPECT_EQ(order, "1194u 53u 1194t 443t ");
  EXPECT_FALSE(parse_with_required("local * 1194 tcp\nlocal * 1194 tcp4"));
}

TEST(ConfigDerive, TellsClientsNotToHoldPacketsBack) {
  const auto config = parse_with_required("proto tcp\ntcp-nodelay");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_NE(std::ranges::find(config->push, "socket-flags TCP_NODELAY"), config->push.end());
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

TEST(ConfigDerive, KeepsTheNameThatIsLookedUpAtTheStart) {
  const auto config = parse_with_required("local vpn.example.net 7\nlocal other.example.net 7");

  ASSERT_TRUE(config) << error_of(config);
  ASSERT_EQ(config->listen.size(), 2u);
  EXPECT_EQ(config->listen[0].host, "vpn.example.net");
  EXPECT_EQ(config->listen[0].where, "server.conf:1");
  EXPECT_FALSE(config->listen[0].address);
  EXPECT_FALSE(parse_with_required("local vpn.example.net\nlocal vpn.example.net"));
  EXPECT_FALSE(parse_with_required("local vpn.example.net\nlocal *"));
}

TEST(ConfigDerive, TakesTheInterfaceOfALinkLocalAddressFromItsLineOrFromBindDev) {
  EXPECT_EQ(parse_with_required("local [fe80::1%eth0]")->listen[0].scope, "eth0");
  EXPECT_EQ(parse_with_required("local fe80::1\nbind-dev eth1")->listen[0].scope, "eth1");
  EXPECT_EQ(parse_with_required("local 2001:db8::1\nbind-dev eth1")->listen[0].scope, "");
  EXPECT_TRUE(parse_with_required("local fe80::1%eth0\nlocal fe80::1%eth1"));
}

TEST(ConfigDerive, ReadsAMarkInDecimalAndInHexadecimal) {
  EXPECT_EQ(parse_with_required("mark 42")->outside.mark, 42u);
  EXPECT_EQ(parse_with_required("mark 0x2A")->outside.mark, 42u);
  EXPECT_EQ(parse_with_required("mark 4294967295")->outside.mark, 0xffff'ffffu);
  EXPECT_EQ(parse_with_required("bind-dev eth0")->outside.device, "eth0");
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

TEST(ConfigDerive, LetsMssfixFollowThePathUnlessASizeIsWritten) {
  using Mode = MssFix::Mode;
  struct Case {
    const char* lines;
    MssFix mssfix;
  };
  const Case cases[] = {
      {"", {.mode = Mode::Path}},
      {"tun-mtu 1400", {.mode = Mode::Path}},
      {"tun-mtu 1400\nmssfix", {.mode = Mode::Path}},
      {"mssfix 0", {0, Mode::Payload}},
      {"mssfix 1300", {1300, Mode::Payload}},
      {"mssfix 1300 mtu", {1300, Mode::Mtu}},
      {"mssfix 1300 fixed\ntun-mtu 1400", {1300, Mode::Fixed}},
  };
  for (const Case& expected : cases) {
    const auto config = parse_with_required(expected.lines);
    ASSERT_TRUE(config) << error_of(config);
    EXPECT_EQ(config->tunnel.mssfix, expected.mssfix) << expected.lines;
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

TEST(ConfigDerive, TakesAddressesThatAreWrittenWithoutServer) {
  const auto config = parse_server_config(
      "ca a\ncert b\nkey c\nmode server\ntls-server\ntopology subnet\n"
      "ifconfig 10.8.0.5 255.255.255.0\nifconfig-pool 10.8.0.10 10.8.0.19\n"
      "ifconfig-ipv6 fd00:8::5/64 fd00:8::6\nifconfig-ipv6-pool fd00:8::a00/64\n",
      "f", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);

  EXPECT_EQ(config->tunnel.network_v4->to_string(), "10.8.0.0/24");
  EXPECT_EQ(config->tunnel.network_v6->to_string(), "fd00:8::/64");
  EXPECT_EQ(own_address_v4(config->tunnel)->to_string(), "10.8.0.5");
  EXPECT_EQ(own_address_v6(config->tunnel)->to_string(), "fd00:8::5");
  EXPECT_EQ(client_range_v4(config->tunnel)->last.to_string(), "10.8.0.19");
  EXPECT_EQ(client_range_v6(config->tunnel)->first.to_string(), "fd00:8::a00");
  EXPECT_EQ(config->push,
            (std::vector<std::string>{"tun-ipv6", "route-gateway 10.8.0.5", "topology subnet"}));
}

TEST(ConfigDerive, LeavesAGatewayThatIsPushedByHand) {
  const auto config = parse_server_config(
      "ca a\ncert b\nkey c\nifconfig 10.8.0.5 255.255.255.0\n"
      "push \"route-gateway 10.8.0.9\"\n",
      "f", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);

  EXPECT_EQ(config->push, (std::vector<std::string>{"route-gateway 10.8.0.9", "topology subnet"}));
  EXPECT_FALSE(client_range_v4(config->tunnel));
}

TEST(ConfigDerive, RefusesAddressesThatContradictEachOther) {
  const struct {
    std::string lines;
    std::string error;
  } kRows[] = {
      {"ifconfig 10.9.0.1 255.255.255.0",
       "f:1: `server` already says what `ifconfig` says — delete one of the lines"},
      {"ifconfig-pool 10.8.0.5 10.8.0.9",
       "f:1: `server` already says what `ifconfig-pool` says — delete this line, or write `server "
       "10.8.0.0 255.255.255.0 nopool`"},
      {"server-ipv6 fd00::/64\nifconfig-ipv6 fd01::1/64",
       "f:2: `server-ipv6` already says what `ifconfig-ipv6` says — delete this line"},
      {"server-ipv6 fd00::/64\nifconfig-ipv6-pool fd00::5/64",
       "f:2: `server-ipv6` already says what `ifconfig-ipv6-pool` says"},
      {"ifconfig-ipv6 fd00::1/64\nifconfig-ipv6-pool fd01::5/64",
       "f:2: `ifconfig-ipv6-pool` is not within the tunnel's network fd00::/64 — write "
       "`ifconfig-ipv6-pool fd00::1000/64`"},
      {"ifconfig-ipv6 fd00::/64", "f:1: `ifconfig-ipv6 fd00::` is no host of fd00::/64"},
      {"ifconfig 10.8.0.1 10.8.0.2",
       "f:1: `ifconfig 10.8.0.1 10.8.0.2` does not name its network by a netmask"},
      {"ifconfig-pool 10.8.0.9 10.8.0.5", "write `ifconfig-pool 10.8.0.5 10.8.0.9`"},
      {"ifconfig-pool 10.8.0.5 10.8.0.9 10.8.0.1", "cannot be `10.8.0.1`"},
      {"ifconfig-ipv6-pool fd00::5/128", "a network of more than one address"},
      {"ifconfig-ipv6-pool 10.8.0.9/24", "an IPv6 address and the length of its prefix"},
  };
  for (const auto& row : kRows) {
    const auto config =
        parse_server_config(row.lines + "\nca a\ncert b\nkey c\nserver 10.8.0.0 255.255.255.0\n",
                            "f", {}, no_such_file);
    EXPECT_NE(error_of(config).find(row.error), std::string::npos) << error_of(config);
  }
  const auto outside = parse_server_config(
      "ca a\ncert b\nkey c\nifconfig 10.8.0.1 255.255.255.0\nifconfig-pool 10.8.0.9 10.8.1.5\n",
      "f", {}, no_such_file);
  EXPECT_NE(error_of(outside).find("f:5: `ifconfig-pool` is not within the tunnel's network "
                                   "10.8.0.0/24 — write `ifconfig-pool 10.8.0.2 10.8.0.254`"),
            std::string::npos)
      << error_of(outside);
}

}  // namespace
}  // namespace ringway
