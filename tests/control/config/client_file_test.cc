#include "control/config/client_file.h"

#include <gtest/gtest.h>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

struct Read {
  ClientTerms terms;
  ClientLineNotes notes;
};

Read read(const std::string& text) {
  Read result;
  result.notes = read_client_lines(text, "ccd/client1", result.terms);
  return result;
}

/// The one fault, or what there is instead.
std::string fault_of(const std::string& text) {
  const Read result = read(text);
  if (result.notes.faults.size() != 1) {
    return std::to_string(result.notes.faults.size()) + " faults";
  }
  return result.notes.faults.front().to_string();
}

TunnelConfig tunnel() {
  TunnelConfig config;
  config.network_v4 = Prefix::parse("10.8.0.0/24");
  config.network_v6 = Prefix::parse("fd00:8::/64");
  return config;
}

std::string check(const std::string& text, const TunnelConfig& config = tunnel()) {
  const Read result = read(text);
  EXPECT_TRUE(result.notes.faults.empty()) << text;
  const std::vector<Error> faults = check_client_terms(result.terms, config);
  return faults.empty() ? "" : faults.front().to_string();
}

TEST(ClientFile, ReadsWhatAClientGets) {
  const auto [terms, notes] = read(
      "ifconfig-push 10.8.0.5 255.255.255.0 172.16.0.5\n"
      "ifconfig-ipv6-push fd00:8::5/64 fd00:8::1\n"
      "iroute 192.168.4.0 255.255.255.0\niroute 192.168.5.7\n"
      "iroute-ipv6 2001:db8:4::/64\niroute-ipv6 2001:db8:5::1\n"
      "push-remove route\npush \"route 10.5.0.0 255.255.0.0\"\npush-reset\n"
      "max-routes-per-client 9\nping 5\nping-restart 50\ninactive 60 1000\nsession-timeout 70\n");

  EXPECT_TRUE(notes.faults.empty());
  EXPECT_TRUE(notes.passed_over.empty());
  ASSERT_TRUE(terms.v4 && terms.v6);
  EXPECT_EQ(terms.v4->address.to_string(), "10.8.0.5");
  EXPECT_EQ(terms.v4->netmask->to_string(), "255.255.255.0");
  EXPECT_EQ(terms.v4->alias->to_string(), "172.16.0.5");
  EXPECT_EQ(terms.v4->where, "ccd/client1:1");
  EXPECT_EQ(terms.v6->address.to_string(), "fd00:8::5");
  EXPECT_EQ(terms.v6->length, 64);
  EXPECT_EQ(terms.v6->remote->to_string(), "fd00:8::1");
  ASSERT_EQ(terms.routes.size(), 4u);
  EXPECT_EQ(terms.routes[1].network.to_string(), "192.168.5.7/32");
  EXPECT_EQ(terms.routes[1].where, "ccd/client1:4");
  EXPECT_EQ(terms.routes[3].network.to_string(), "2001:db8:5::1/128");
  ASSERT_EQ(terms.push.size(), 3u);
  EXPECT_EQ(terms.push[0].kind, PushEdit::Kind::Remove);
  EXPECT_EQ(terms.push[1].text, "route 10.5.0.0 255.255.0.0");
  EXPECT_EQ(terms.push[2].kind, PushEdit::Kind::Reset);
  EXPECT_EQ(terms.routes_max, 9u);
  EXPECT_EQ(terms.ping, 5s);
  EXPECT_EQ(terms.ping_restart, 50s);
  EXPECT_EQ(terms.inactive, (ActivityLimit{.time = 60s, .bytes = 1000}));
  EXPECT_EQ(terms.session_timeout, 70s);
  EXPECT_TRUE(terms.disabled_at.empty());
}

TEST(ClientFile, NamesTheCiphersOfAClient) {
  const auto [terms, notes] = read("data-ciphers AES-128-GCM:?BF-CBC\n");
  ASSERT_TRUE(terms.ciphers && notes.faults.empty());
  EXPECT_EQ(terms.ciphers->ciphers, std::vector{DataCipher::Aes128Gcm});
  EXPECT_EQ(terms.ciphers->where, "ccd/client1:1");

  const auto [none, refused] = read("data-ciphers BF-CBC\n");
  ASSERT_EQ(refused.faults.size(), 1u);
  EXPECT_EQ(refused.faults[0].advice,
            "write `data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305`; who knows none of "
            "them cannot connect");
}

TEST(ClientFile, NamesTheLineThatDisables) {
  EXPECT_EQ(read("# gone since May\ndisable\n").terms.disabled_at, "ccd/client1:2");
}

TEST(ClientFile, AddsTextsOneAfterTheOther) {
  ClientTerms terms;
  read_client_lines("ifconfig-push 10.8.0.5 255.255.255.0\niroute 10.5.0.0 255.255.0.0\n", "a",
                    terms);
  read_client_lines("ifconfig-push 10.8.0.6 255.255.255.0\niroute 10.6.0.0 255.255.0.0\n", "b",
                    terms);

  EXPECT_EQ(terms.v4->address.to_string(), "10.8.0.6");
  EXPECT_EQ(terms.v4->where, "b:1");
  EXPECT_EQ(terms.routes.size(), 2u);
}

TEST(ClientFile, TakesAddressesOfOldTopologiesWithoutThePeers) {
  const auto [terms, notes] = read("ifconfig-push 10.8.0.5 10.8.0.6\n");

  EXPECT_TRUE(notes.faults.empty());
  EXPECT_EQ(terms.v4->address.to_string(), "10.8.0.5");
  EXPECT_EQ(terms.v4->netmask, std::nullopt);
}

TEST(ClientFile, PassesOverWhatOpenVpnDoesNotTakeThereEither) {
  const struct {
    std::string line;
    std::string note;
  } kRows[] = {
      {"comp-lzo no", "ccd/client1:1: `comp-lzo` has no effect: it changes the format of packets"},
      {"compress", "`compress` has no effect"},
      {"cipher AES-128-GCM", "`cipher` has no effect: it is negotiated"},
      // C07
      {"push \"comp-lzo no\"", "`push \"comp-lzo no\"` is not pushed"},
      {"route 10.0.0.0 255.0.0.0",
       "ccd/client1:1: `route` is passed over: it belongs into the server's configuration, or "
       "behind `push`"},
      {"topology subnet", "`topology` is passed over"},
      {"setenv-safe X y", "`setenv-safe` is passed over"},
  };
  for (const auto& row : kRows) {
    const auto [terms, notes] = read(row.line + "\n");
    EXPECT_TRUE(notes.faults.empty()) << row.line;
    ASSERT_EQ(notes.passed_over.size(), 1u) << row.line;
    EXPECT_NE(notes.passed_over.front().find(row.note), std::string::npos)
        << notes.passed_over.front();
    EXPECT_TRUE(terms.push.empty());
  }
}

TEST(ClientFile, SaysFileLineAndWhatToWrite) {
  const struct {
    std::string text;
    std::string fault;
  } kRows[] = {
      {"disabel", "ccd/client1:1: unknown option `disabel` — write `disable`, if that is meant"},
      {"frobnicate", "ccd/client1:1: unknown option `frobnicate` — delete the line"},
      {"\nifconfig-push",
       "ccd/client1:2: `ifconfig-push` has too few parameters — write "
       "`ifconfig-push ADDRESS [NETMASK [ALIAS]]`"},
      {"ifconfig-push host.example 255.255.255.0",
       "ccd/client1:1: `ifconfig-push` cannot be `host.example` — write an IPv4 address; names are "
       "not looked up instead"},
      {"ifconfig-push 10.8.0.5 mask", "`ifconfig-push` cannot be `mask`"},
      {"ifconfig-push 10.8.0.5 255.255.255.0 fd00::1", "`ifconfig-push` cannot be `fd00::1`"},
      {"ifconfig-ipv6-push 10.8.0.5/24", "`ifconfig-ipv6-push` cannot be `10.8.0.5/24`"},
      {"ifconfig-ipv6-push fd00::5/200", "`ifconfig-ipv6-push` cannot be `fd00::5/200`"},
      {"ifconfig-ipv6-push fd00::5/64 10.8.0.1", "`ifconfig-ipv6-push` cannot be `10.8.0.1`"},
      {"iroute 192.168.4.1 255.255.255.0",
       "`iroute 192.168.4.1 255.255.255.0` is not an IPv4 network and its netmask — write for "
       "example `iroute 192.168.4.0 255.255.255.0`"},
      {"iroute-ipv6 2001:db8::1/64", "is not an IPv6 network with the length of its prefix"},
      {"push-remove \"\"", "`push-remove` cannot be ``"},
      {"disable now", "`disable` has too many parameters — write `disable` alone"},
      {"push \"ifconfig 10.8.0.9 255.255.255.0\"", "Ringway pushes that itself"},
      {"push \"topology net30\"", "contradicts the only topology served"},
      {"push route 10.0.0.0", "pushes several words where one option is meant"},
      {"max-routes-per-client 0", "`max-routes-per-client` cannot be `0`"},
      {"ping x", "`ping` cannot be `x`"},
      {"session-timeout -1", "`session-timeout` cannot be `-1`"},
      {"inactive 5 x", "`inactive` cannot be `x`"},
      {"vlan-pvid 7", "`vlan-pvid` is refused: Ringway routes IP and bridges no Ethernet"},
      {"config more", "`config` is not followed in a client's file"},
      {"override-username boss", "`override-username` is not served"},
      {"push \"unclosed", "ccd/client1:1: "},
      {"<push>\nroute 10.0.0.0\n</push>", "`push` cannot be an inline block"},
  };
  for (const auto& row : kRows) {
    EXPECT_NE(fault_of(row.text + "\n").find(row.fault), std::string::npos)
        << row.text << "\n"
        << fault_of(row.text + "\n");
  }
}

TEST(ClientFile, ReadsOnBehindAFault) {
  const auto [terms, notes] = read("frobnicate\niroute 10.5.0.0 255.255.0.0\nping x\n");

  EXPECT_EQ(notes.faults.size(), 2u);
  EXPECT_EQ(terms.routes.size(), 1u);
}

TEST(ClientFile, HasLimits) {
  std::string routes;
  std::string pushes;
  for (std::size_t i = 0; i <= kClientRoutesMax; ++i) routes += "iroute 10.5.0.1\n";
  for (std::size_t i = 0; i <= kClientPushesMax; ++i) pushes += "push \"route 10.5.0.1\"\n";

  EXPECT_NE(fault_of(routes).find("is one too many: 4096 are allowed"), std::string::npos);
  EXPECT_NE(fault_of(pushes).find("more than 512 lines change what is pushed"), std::string::npos);
  EXPECT_NE(fault_of(std::string(kClientFileSizeMax + 1, '\n')).find("more than 262144 bytes"),
            std::string::npos);
}

TEST(ClientFile, HasTheCommonNameAndNoPath) {
  EXPECT_EQ(client_file_name("client1"), "client1");
  EXPECT_EQ(client_file_name("Grüße an.alle"), "Grüße an.alle");
  EXPECT_EQ(client_file_name("../../etc/passwd"), ".._.._etc_passwd");
  EXPECT_EQ(client_file_name("/etc/passwd"), "_etc_passwd");
  EXPECT_EQ(client_file_name(std::string("a\0b\n", 4)), "a_b_");
  for (const std::string name : {"", ".", ".."}) EXPECT_EQ(client_file_name(name), std::nullopt);
  EXPECT_EQ(client_file_name(std::string(256, 'a')), std::nullopt);
}

TEST(ClientTermsCheck, TakesWhatLiesBesideThePool) {
  EXPECT_EQ(check("ifconfig-push 10.8.0.254 255.255.255.0\nifconfig-ipv6-push fd00:8::2/64\n"
                  "iroute 0.0.0.0 0.0.0.0\niroute-ipv6 ::/0\niroute 10.0.0.0 255.0.0.0\n"
                  "iroute-ipv6 fd00:8::f00/120\n"),
            "");
  // As with OpenVPN, and with a word about it.
  const Read outside =
      read("ifconfig-push 10.9.0.5 255.255.255.0\nifconfig-ipv6-push fd00:9::5/64");
  EXPECT_TRUE(check_client_terms(outside.terms, tunnel()).empty());
  EXPECT_EQ(odd_client_terms(outside.terms, tunnel()).size(), 2u);
  EXPECT_EQ(odd_client_terms(outside.terms, tunnel()).front(),
            "ccd/client1:1: `ifconfig-push 10.9.0.5` is outside of the tunnel's network "
            "10.8.0.0/24; packets for it come here only with a `route 10.9.0.5`");
}

TEST(ClientTermsCheck, RefusesWhatBelongsToOthers) {
  const struct {
    std::string line;
    std::string fault;
  } kRows[] = {
      {"ifconfig-push 10.8.0.1 255.255.255.0",
       "ccd/client1:1: `ifconfig-push 10.8.0.1` is the server's own address, or no host's — write "
       "an address of 10.8.0.0/24"},
      {"ifconfig-push 10.8.0.0", "no host's"},
      {"ifconfig-push 10.8.0.255", "no host's"},
      {"ifconfig-push 127.0.0.1", "no host's"},
      {"ifconfig-ipv6-push fd00:8::1/64", "no host's"},
      {"ifconfig-ipv6-push fd00:8::/64", "no host's"},
      {"ifconfig-ipv6-push fe80::5/64", "no host's"},
      {"ifconfig-ipv6-push ::1/64", "no host's"},
      {"iroute 10.8.0.1", "`iroute 10.8.0.1/32` is no network of hosts behind a client"},
      {"iroute 224.0.0.0 240.0.0.0", "is no network of hosts behind a client"},
      {"iroute 127.0.0.0 255.0.0.0", "is no network of hosts behind a client"},
      {"iroute-ipv6 ff00::/8", "is no network of hosts behind a client"},
      {"iroute 10.8.0.128 255.255.255.128",
       "ccd/client1:1: `iroute 10.8.0.128/25` holds addresses of the pool, which other clients "
       "get — write `ifconfig-push ADDRESS`"},
      {"iroute-ipv6 fd00:8::2000/128", "holds addresses of the pool"},
      {"iroute-ipv6 fd00:8::/116", ""},
      {"iroute-ipv6 fd00:8::/64", "holds addresses of the pool"},
  };
  for (const auto& row : kRows) {
    const std::string fault = check(row.line + "\n");
    EXPECT_NE(fault.find(row.fault), std::string::npos) << row.line << "\n" << fault;
    EXPECT_EQ(fault.empty(), row.fault.empty()) << row.line << "\n" << fault;
  }
  EXPECT_NE(check("ifconfig-push 10.8.0.5\n", {}).find("the tunnel has no IPv4"),
            std::string::npos);
  EXPECT_NE(check("ifconfig-ipv6-push fd00::5\n", {}).find("the tunnel has no IPv6"),
            std::string::npos);
}

TEST(ClientFile, IsWhatTheManualSays) {
  const std::string path = std::string(RINGWAY_SOURCE_ROOT) + "/docs/CONFIG.md";
  const std::string text = text_of_file(path);
  const std::string mark = "<!-- The table below is that of control/config/client_file.cc. -->\n\n";
  const std::size_t begin = text.find(mark);
  ASSERT_NE(begin, std::string::npos) << path;
  const std::size_t table = begin + mark.size();
  const std::size_t end = text.find("\n\n", table) + 1;

  const std::string expected = text.substr(0, table) + client_file_reference() + text.substr(end);

  EXPECT_EQ(golden(path, expected), expected)
      << "run the test with RINGWAY_UPDATE_GOLDEN=1 to write the table anew";
}

}  // namespace
}  // namespace ringway
