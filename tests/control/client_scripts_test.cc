#include "control/client_scripts.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ringway {
namespace {

const ClientScripts::Facts kFacts{
    .device = "tun3", .server = {.address = *IpAddress::parse("192.0.2.1"), .port = 1194}};

ClientNetwork network(const std::vector<std::string>& texts) {
  ClientNetwork made;
  for (const std::string& text : texts) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    EXPECT_TRUE(made.lines.add(words)) << text;
  }
  return made;
}

std::vector<std::string> environment(const std::vector<std::string>& texts,
                                     const ClientConfig& config = {}) {
  return ClientScripts::environment(kFacts, network(texts), config);
}

bool has(const std::vector<std::string>& entries, const std::string& entry) {
  return std::ranges::find(entries, entry) != entries.end();
}

TEST(ClientScripts, TellWhatOpenVpnTells) {
  const auto entries = environment(
      {"ifconfig 10.8.0.2 255.255.255.0", "topology subnet", "ifconfig-ipv6 fd00::2/64 fd00::1",
       "route-gateway 10.8.0.1", "route 10.1.0.0 255.255.0.0 default 7",
       "route 10.2.0.0 255.255.0.0 10.8.0.9", "route-ipv6 fd01::/64", "redirect-gateway def1",
       "dhcp-option DNS 10.8.0.1", "dhcp-option WINS 10.8.0.3",
       "dns server 1 address 10.8.0.4:5353", "dns search-domains a.b"});
  for (const char* entry : {"dev=tun3",
                            "tun_mtu=1500",
                            "trusted_ip=192.0.2.1",
                            "trusted_port=1194",
                            "remote_1=192.0.2.1",
                            "proto_1=udp",
                            "ifconfig_local=10.8.0.2",
                            "ifconfig_netmask=255.255.255.0",
                            "ifconfig_ipv6_local=fd00::2",
                            "ifconfig_ipv6_netbits=64",
                            "ifconfig_ipv6_remote=fd00::1",
                            "route_vpn_gateway=10.8.0.1",
                            "route_network_1=10.1.0.0",
                            "route_netmask_1=255.255.0.0",
                            "route_metric_1=7",
                            "route_gateway_2=10.8.0.9",
                            "route_ipv6_network_1=fd01::/64",
                            "redirect_gateway=1",
                            "foreign_option_1=dhcp-option DNS 10.8.0.1",
                            "foreign_option_2=dhcp-option WINS 10.8.0.3",
                            "dns_server_1_address_1=10.8.0.4",
                            "dns_server_1_port_1=5353",
                            "dns_search_domain_1=a.b"}) {
    EXPECT_TRUE(has(entries, entry)) << entry;
  }
}

TEST(ClientScripts, TellThePeerOfAPointToPointTunnel) {
  const auto entries = environment({"ifconfig 10.8.0.6 10.8.0.5"});
  EXPECT_TRUE(has(entries, "ifconfig_remote=10.8.0.5"));
  EXPECT_TRUE(has(entries, "route_vpn_gateway=10.8.0.5"));
}

TEST(ClientScripts, LetTheProfilesVariablesWin) {
  ClientConfig config;
  config.scripts.environment = {"dev=mine"};
  EXPECT_EQ(environment({}, config).back(), "dev=mine");
}

// What a server pushes ends up in a shell's environment.
TEST(ClientScripts, HandOnNothingButPrintingCharacters) {
  ClientNetwork odd;
  const std::vector<std::string> words = {"dhcp-option", "NTP", "a\nLD_PRELOAD=x\x7f"};
  EXPECT_TRUE(odd.lines.add(words));
  const auto entries = ClientScripts::environment(kFacts, odd, {});
  EXPECT_TRUE(has(entries, "foreign_option_1=dhcp-option NTP a_LD_PRELOAD=x_"));
}

/// A script that writes down its arguments and some of its environment.
class ClientScriptsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    const std::string path = directory_ + "/script";
    std::ofstream(path) << "#!/bin/sh\necho \"$script_type: $*\" >>" << directory_ << "/calls\n"
                        << "test \"$1\" != fail || exit 7\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    for (std::string* script :
         {&config_.scripts.up, &config_.scripts.route_up, &config_.scripts.ipchange,
          &config_.scripts.route_pre_down, &config_.scripts.down}) {
      *script = path;
    }
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string calls() const {
    std::ifstream file(directory_ + "/calls");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string directory_ = ::testing::TempDir() + "scripts-XXXXXX";
  ClientConfig config_;
  CommandQueue commands_;
};

TEST_F(ClientScriptsTest, RunInOrderWithTheirArguments) {
  config_.scripts.security = 2;
  config_.scripts.up += " \"two words\"";
  ClientScripts scripts(kFacts, network({"ifconfig 10.8.0.2 255.255.255.0"}), config_, commands_);
  scripts.run_up();
  commands_.finish();
  scripts.run_before_down();
  scripts.run_down();
  EXPECT_EQ(calls(),
            "up: two words tun3 1500 0 10.8.0.2 255.255.255.0 init\n"
            "route-up: \n"
            "ipchange: 192.0.2.1 1194\n"
            "route-pre-down: tun3 1500 0 10.8.0.2 255.255.255.0 init\n"
            "down: tun3 1500 0 10.8.0.2 255.255.255.0 init\n");
  EXPECT_FALSE(scripts.failure());
}

TEST_F(ClientScriptsTest, RunOnlyWhenAllowed) {
  ClientScripts scripts(kFacts, network({}), config_, commands_);
  scripts.run_up();
  commands_.finish();
  scripts.run_down();
  EXPECT_EQ(calls(), "");
}

TEST_F(ClientScriptsTest, EndTheClientWhenUpFails) {
  config_.scripts.security = 2;
  config_.scripts.up += " fail";
  ClientScripts scripts(kFacts, network({}), config_, commands_);
  scripts.run_up();
  commands_.finish();
  ASSERT_TRUE(scripts.failure());
  EXPECT_NE(scripts.failure()->what.find("`up` failed (status 7)"), std::string::npos);
}

TEST_F(ClientScriptsTest, GoOnWhenAnotherFails) {
  config_.scripts.security = 2;
  config_.scripts.up.clear();
  config_.scripts.route_up += " fail";
  ClientScripts scripts(kFacts, network({}), config_, commands_);
  scripts.run_up();
  commands_.finish();
  EXPECT_FALSE(scripts.failure());
}

}  // namespace
}  // namespace ringway
