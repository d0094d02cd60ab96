#include "control/client_dns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

namespace ringway {
namespace {

DnsLines lines(const std::vector<std::string>& texts) {
  DnsLines dns;
  for (const std::string& text : texts) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    EXPECT_TRUE(dns.add(words).value_or(false)) << text;
  }
  return dns;
}

std::string plan(DnsProgram program, const std::vector<std::string>& texts) {
  std::string text;
  for (const Command& command : DnsPlan::make(program, "tun3", lines(texts)).commands) {
    text += fmt::format("{}\n{}", fmt::join(command.words, " "), command.input);
  }
  return text;
}

std::size_t note_count(DnsProgram program, const std::vector<std::string>& texts) {
  return DnsPlan::make(program, "tun3", lines(texts)).notes.size();
}

TEST(DnsPlan, LeadsAllNamesIntoTheTunnelThroughSystemdResolved) {
  EXPECT_EQ(plan(DnsProgram::Resolvectl, {"dhcp-option DNS 10.8.0.1", "dhcp-option DNS6 fd00::1",
                                          "dhcp-option DOMAIN a.b"}),
            "resolvectl dns tun3 10.8.0.1 fd00::1\n"
            "resolvectl default-route tun3 yes\n"
            "resolvectl domain tun3 a.b ~.\n");
}

TEST(DnsPlan, LeadsOnlyTheDomainsThatAServerIsFor) {
  EXPECT_EQ(plan(DnsProgram::Resolvectl,
                 {"dns server 1 address 10.8.0.1:5353 [fd00::1]:53",
                  "dns server 1 resolve-domains corp.example", "dns server 1 dnssec optional",
                  "dns server 1 transport DoT", "dns server 1 sni dns.example"}),
            "resolvectl dns tun3 10.8.0.1:5353#dns.example [fd00::1]:53#dns.example\n"
            "resolvectl default-route tun3 no\n"
            "resolvectl dnssec tun3 allow-downgrade\n"
            "resolvectl dnsovertls tun3 yes\n"
            "resolvectl domain tun3 ~corp.example\n");
}

TEST(DnsPlan, GivesResolvconfWhatItUnderstands) {
  EXPECT_EQ(plan(DnsProgram::Resolvconf,
                 {"dhcp-option DNS 10.8.0.1", "dhcp-option DOMAIN a.b", "dhcp-option DOMAIN c.d"}),
            "resolvconf -a tun3.ringway\nnameserver 10.8.0.1\nsearch a.b c.d\n");
  const std::vector<std::string> odd = {"dns server 1 address 10.8.0.1:5353 10.8.0.2",
                                        "dns server 1 resolve-domains corp.example"};
  EXPECT_EQ(plan(DnsProgram::Resolvconf, odd), "resolvconf -a tun3.ringway\nnameserver 10.8.0.2\n");
  EXPECT_EQ(note_count(DnsProgram::Resolvconf, odd), 2u);
}

TEST(DnsPlan, TakesTheFirstServerThatTheSystemCanAsk) {
  const std::vector<std::string> three = {
      "dns server 1 address 10.8.0.1", "dns server 1 transport DoH",
      "dns server 2 address 10.8.0.2", "dns server 2 transport DoT",
      "dns server 3 address 10.8.0.3"};
  EXPECT_NE(plan(DnsProgram::Resolvectl, three).find("dns tun3 10.8.0.2\n"), std::string::npos);
  EXPECT_NE(plan(DnsProgram::Resolvconf, three).find("nameserver 10.8.0.3\n"), std::string::npos);
  EXPECT_EQ(note_count(DnsProgram::Resolvectl, three), 2u);
}

TEST(DnsPlan, DoesNothingWhereNothingIsAskedFor) {
  EXPECT_EQ(plan(DnsProgram::Resolvectl, {}), "");
  EXPECT_EQ(plan(DnsProgram::Resolvconf, {}), "");
}

TEST(DnsPlan, UndoesWhatItsJournalSaysAndNothingElse) {
  EXPECT_EQ(dns_undo(dns_deed(DnsProgram::Resolvectl, "tun3"))->words,
            (std::vector<std::string>{"resolvectl", "revert", "tun3"}));
  EXPECT_EQ(dns_undo(dns_deed(DnsProgram::Resolvconf, "tun3"))->words,
            (std::vector<std::string>{"resolvconf", "-d", "tun3.ringway"}));
  for (const char* deed : {"", "resolvectl", "resolvectl ", "rm x", "resolvconf a b",
                           "resolvconf -a", "resolvectl --x"}) {
    EXPECT_FALSE(dns_undo(deed)) << deed;
  }
}

}  // namespace
}  // namespace ringway
