#include "tun/link_config.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <fstream>
#include <sstream>

#include "tests/tun/host_side.h"
#include "tun/tun_device.h"

namespace ringway {
namespace {

InterfaceAddress interface_address(const char* text, std::uint8_t length) {
  return {*IpAddress::parse(text), length};
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const char* text) { std::ofstream(path) << text; }

int mtu_of(const std::string& name) {
  const UniqueFd socket = test::udp_socket(true);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(socket.get(), SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : -1;
}

int tx_queue_length_of(const std::string& name) {
  const UniqueFd socket = test::udp_socket(true);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(socket.get(), SIOCGIFTXQLEN, &request) == 0 ? request.ifr_qlen : -1;
}

bool is_up(const std::string& name) {
  const UniqueFd socket = test::udp_socket(true);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

/// An address can be bound to when the host has it, and IPv6 only once it is not tentative.
bool host_has(const char* address) {
  const auto endpoint = Endpoint{.address = *IpAddress::parse(address), .port = 0};
  const UniqueFd socket = test::udp_socket(endpoint.address.is_v4());
  const auto local = test::socket_address(endpoint);
  return ::bind(socket.get(), local.get(), local.size) == 0;
}

/// A fresh device, and what configures it.
class LinkConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = TunDevice::open({.name = "tun5"});
    ASSERT_TRUE(device) << device.error().to_string();
    device_.emplace(std::move(*device));
    auto link = LinkConfig::open("tun5");
    ASSERT_TRUE(link) << link.error().to_string();
    link_.emplace(std::move(*link));
  }

  std::optional<TunDevice> device_;
  std::optional<LinkConfig> link_;
};

TEST_F(LinkConfigTest, SetsEverythingThatIsAskedFor) {
  const auto applied =
      link_->apply({.v4 = interface_address("10.8.0.1", 20),
                    .v6 = interface_address("fd00:8::1", 64),
                    .mtu = 1420,
                    .tx_queue_length = 1234,
                    .routes = {{.destination = *Prefix::parse("172.20.0.0/14"), .metric = 77},
                               {.destination = *Prefix::parse("2001:db8:5::/48")},
                               {.destination = *Prefix::parse("198.51.100.7/32")}}});

  ASSERT_TRUE(applied) << applied.error().to_string();
  EXPECT_EQ(mtu_of("tun5"), 1420);
  EXPECT_EQ(tx_queue_length_of("tun5"), 1234);
  EXPECT_TRUE(is_up("tun5"));
  EXPECT_TRUE(host_has("10.8.0.1"));
  EXPECT_TRUE(host_has("fd00:8::1")) << "usable at once, without duplicate address detection";
  const std::string v4 = read_file("/proc/net/route");
  EXPECT_NE(v4.find("tun5\t0000080A"), std::string::npos) << "10.8.0.0/20, connected\n" << v4;
  EXPECT_NE(v4.find("tun5\t000014AC\t00000000\t0001\t0\t0\t77\t0000FCFF"), std::string::npos) << v4;
  EXPECT_NE(v4.find("tun5\t076433C6\t00000000\t0005\t0\t0\t0\tFFFFFFFF"), std::string::npos) << v4;
  const std::string v6 = read_file("/proc/net/ipv6_route");
  EXPECT_NE(v6.find("20010db8000500000000000000000000 30"), std::string::npos) << v6;
}

TEST_F(LinkConfigTest, LeavesTheKernelsQueueLengthAlone) {
  const int before = tx_queue_length_of("tun5");

  ASSERT_TRUE(link_->apply({.v4 = interface_address("10.8.0.1", 24)}));

  EXPECT_EQ(tx_queue_length_of("tun5"), before);
}

TEST_F(LinkConfigTest, EnablesIpv6OnItsDeviceAlone) {
  const std::string path = "/proc/sys/net/ipv6/conf/tun5/disable_ipv6";
  const std::string others = "/proc/sys/net/ipv6/conf/lo/disable_ipv6";
  write_file(path, "1");
  write_file(others, "1");
  ASSERT_EQ(read_file(path), "1\n");

  const auto applied = link_->apply({.v6 = interface_address("fd00:8::1", 64)});

  ASSERT_TRUE(applied) << applied.error().to_string();
  EXPECT_EQ(read_file(path), "0\n");
  EXPECT_EQ(read_file(others), "1\n");
  EXPECT_TRUE(host_has("fd00:8::1"));
}

TEST_F(LinkConfigTest, LeavesIpv6DisabledWhereNoneIsAskedFor) {
  const std::string path = "/proc/sys/net/ipv6/conf/tun5/disable_ipv6";
  write_file(path, "1");

  ASSERT_TRUE(link_->apply({.v4 = interface_address("10.8.0.1", 24)}));

  EXPECT_EQ(read_file(path), "1\n");
}

TEST_F(LinkConfigTest, RefusesAnMtuThatIsTooSmallForIpv6) {
  const auto applied =
      link_->apply({.v6 = interface_address("fd00:8::1", 64), .mtu = LinkConfig::kIpv6MtuMin - 1});

  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().what.find("too small for IPv6"), std::string::npos);
  EXPECT_TRUE(link_->apply({.v4 = interface_address("10.8.0.1", 24), .mtu = 1000}));
}

TEST_F(LinkConfigTest, RefusesImpossibleNumbers) {
  EXPECT_FALSE(link_->set_mtu(67));
  EXPECT_FALSE(link_->set_mtu(65536));
  EXPECT_FALSE(link_->add_address(interface_address("10.8.0.1", 33)));
  EXPECT_FALSE(link_->add_address(interface_address("fd00::1", 129)));
  EXPECT_FALSE(link_->add_route({.destination = {*IpAddress::parse("10.0.0.0"), 33}}));
}

TEST_F(LinkConfigTest, NamesTheSettingThatTheKernelRefused_R24) {
  ASSERT_TRUE(link_->bring_up());
  ASSERT_TRUE(link_->add_address(interface_address("10.8.0.1", 24)));

  const auto again = link_->add_address(interface_address("10.8.0.1", 24));

  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().where, "tun5");
  EXPECT_NE(again.error().what.find("10.8.0.1/24"), std::string::npos);
  EXPECT_NE(again.error().advice.find("ip address"), std::string::npos);
}

TEST_F(LinkConfigTest, LeavesRoutesAloneThatTheHostHasAlready) {
  auto lan_device = TunDevice::open({.name = "lan0"});
  ASSERT_TRUE(lan_device) << lan_device.error().to_string();
  auto lan = LinkConfig::open("lan0");
  ASSERT_TRUE(lan) << lan.error().to_string();
  const LinkRoute v4{.destination = *Prefix::parse("172.16.0.0/16"), .metric = {}};
  const LinkRoute v6{.destination = *Prefix::parse("2001:db8:5::/48"), .metric = {}};
  const auto lan_has = lan->apply({.v4 = interface_address("10.9.0.1", 24),
                                   .v6 = interface_address("fd00:9::1", 64),
                                   .routes = {v4, v6}});
  ASSERT_TRUE(lan_has) << lan_has.error().to_string();
  EXPECT_TRUE(lan_has->empty());
  const std::string before = read_file("/proc/net/route");

  const auto left_out =
      link_->apply({.v4 = interface_address("10.8.0.1", 24),
                    .v6 = interface_address("fd00:8::1", 64),
                    .routes = {v4, v6, {.destination = *Prefix::parse("172.17.0.0/16")}}});

  ASSERT_TRUE(left_out) << left_out.error().to_string();
  ASSERT_EQ(left_out->size(), 2u);
  EXPECT_EQ(left_out->at(0).destination, v4.destination);
  EXPECT_EQ(left_out->at(1).destination, v6.destination);
  const std::string routes = read_file("/proc/net/route");
  EXPECT_NE(routes.find("lan0\t000010AC"), std::string::npos) << routes;
  EXPECT_EQ(routes.find("tun5\t000010AC"), std::string::npos) << routes;
  EXPECT_NE(routes.find("tun5\t000011AC"), std::string::npos) << "the ones behind it are set\n"
                                                              << routes;
  device_.reset();
  EXPECT_EQ(read_file("/proc/net/route"), before) << "and go, as the device does; the others stay";
}

TEST_F(LinkConfigTest, AddsARouteBesideOneOfAnotherMetric) {
  ASSERT_TRUE(link_->bring_up());
  ASSERT_TRUE(link_->add_address(interface_address("10.8.0.1", 24)));
  ASSERT_EQ(link_->add_route({.destination = *Prefix::parse("172.16.0.0/16")}), true);

  EXPECT_EQ(link_->add_route({.destination = *Prefix::parse("172.16.0.0/16"), .metric = 7}), true);
  EXPECT_EQ(link_->add_route({.destination = *Prefix::parse("172.16.0.0/16"), .metric = 7}), false);
}

TEST_F(LinkConfigTest, SaysThatPrivilegesAreMissing_R24) {
  const int answer = test::without_privileges([] {
    auto link = LinkConfig::open("tun5");
    if (!link) return 1;
    const auto done = link->bring_up();
    return !done && done.error().advice.find("CAP_NET_ADMIN") != std::string::npos ? 0 : 2;
  });
  EXPECT_EQ(answer, 0);
}

TEST_F(LinkConfigTest, SaysThatTheDeviceIsGone) {
  device_.reset();

  const auto done = link_->bring_up();

  ASSERT_FALSE(done);
  EXPECT_NE(done.error().advice.find("gone"), std::string::npos);
  EXPECT_FALSE(LinkConfig::open("tun5"));
}

}  // namespace
}  // namespace ringway
