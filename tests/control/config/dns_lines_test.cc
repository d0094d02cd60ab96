#include "control/config/dns_lines.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ringway {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

DnsLines lines(const std::vector<std::string>& texts) {
  DnsLines dns;
  for (const std::string& text : texts) {
    const auto added = dns.add(words_of(text));
    EXPECT_TRUE(added && *added) << text;
  }
  return dns;
}

std::string text_of(const DnsLines& dns) {
  std::string text;
  for (const DnsServer& server : dns.servers()) {
    text += std::to_string(server.id) + ":";
    for (const Endpoint& address : server.addresses) {
      text += " " + (address.port == 0 ? address.address.to_string() : address.to_string());
    }
    for (const std::string& domain : server.resolve_domains) text += " ~" + domain;
    text += "; ";
  }
  for (const std::string& domain : dns.search_domains()) text += domain + " ";
  return text;
}

TEST(DnsLines, TakesTheOptionsOfOpenVpn) {
  EXPECT_EQ(text_of(lines({"dhcp-option DNS 10.8.0.1", "dhcp-option DNS6 fd00::1",
                           "dhcp-option DNS fd00::2", "dhcp-option DOMAIN example.com",
                           "dhcp-option DOMAIN-SEARCH lab.example.com"})),
            "0: 10.8.0.1 fd00::1 fd00::2; example.com lab.example.com ");
}

TEST(DnsLines, PrefersTheLinesOfOpenVpn26AndOrdersThemByNumber) {
  EXPECT_EQ(text_of(lines({"dhcp-option DNS 10.8.0.1", "dhcp-option DOMAIN old.example",
                           "dns server 2 address 10.8.0.3:5353 [fd00::3]:53",
                           "dns server -1 address 10.8.0.2", "dns server 2 resolve-domains a.b",
                           "dns search-domains new.example"})),
            "-1: 10.8.0.2; 2: 10.8.0.3:5353 [fd00::3]:53 ~a.b; new.example ");
}

TEST(DnsLines, LetsAPushedServerReplaceTheProfilesOfTheSameNumber) {
  DnsLines own = lines({"dns server 1 address 10.0.0.1", "dns server 2 address 10.0.0.2",
                        "dns search-domains own.example"});
  own.merge(lines({"dns server 2 address 10.9.0.2", "dns search-domains pushed.example"}));
  EXPECT_EQ(text_of(own), "1: 10.0.0.1; 2: 10.9.0.2; own.example pushed.example ");
}

TEST(DnsLines, KnowsWhatSaysNothingToThisSystem) {
  DnsLines dns;
  EXPECT_EQ(dns.add(words_of("dhcp-option WINS 10.8.0.1")), false);
  EXPECT_EQ(dns.add(words_of("dhcp-option DISABLE-NBT")), false);
  EXPECT_TRUE(dns.empty());
}

// What it takes ends up on command lines and in resolv.conf.
TEST(DnsLines, RefusesWhatIsNoAddressAndNoDomain) {
  for (const char* text :
       {"dhcp-option DNS nowhere", "dhcp-option DNS6 10.8.0.1", "dhcp-option DOMAIN -x",
        "dhcp-option DOMAIN a;b", "dhcp-option DOMAIN $(reboot)", "dns server 1 address 10.8.0.1:0",
        "dns server 1 address fd00::1:99999", "dns server 1 address [10.8.0.1]:53",
        "dns server 200 address 10.8.0.1", "dns server x address 10.8.0.1",
        "dns server 1 colour red", "dns server 1 dnssec perhaps", "dns server 1 transport pigeon",
        "dns server 1 sni a/b", "dns search-domains", "dns search-domains a~b", "dns"}) {
    EXPECT_FALSE(DnsLines().add(words_of(text))) << text;
  }
}

TEST(DnsLines, BoundsWhatAServerMayPush) {
  DnsLines dns;
  for (std::size_t i = 0; i < DnsServer::kAddressesMax; ++i) {
    EXPECT_TRUE(dns.add(words_of("dhcp-option DNS 10.8.0." + std::to_string(i))));
  }
  EXPECT_FALSE(dns.add(words_of("dhcp-option DNS 10.9.0.1")));
  EXPECT_TRUE(dns.add(words_of("dhcp-option DNS 10.8.0.1"))) << "is there already";
  for (std::size_t i = 0; i < DnsLines::kServersMax; ++i) {
    EXPECT_TRUE(dns.add(words_of("dns server " + std::to_string(i) + " address 10.8.0.1")));
  }
  EXPECT_FALSE(dns.add(words_of("dns server 100 address 10.8.0.1")));
}

}  // namespace
}  // namespace ringway
