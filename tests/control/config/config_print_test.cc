#include <gtest/gtest.h>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

std::string without_comments(const std::string& text) {
  std::string kept;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with('#')) kept += line + "\n";
  }
  return kept;
}

TEST(ConfigPrint, PrintsListenersAsTheyMayBeWrittenAgain) {
  const auto config = parse_with_required(
      "local vpn.example.net 7 udp4\nlocal fe80::1%eth0 8\nmark 0x10\nbind-dev red");

  ASSERT_TRUE(config) << error_of(config);
  const std::string text = print_config(*config);
  EXPECT_TRUE(text.starts_with("local vpn.example.net 7 udp4\nlocal fe80::1%eth0 8 udp6\n"))
      << text;
  EXPECT_NE(text.find("\nbind-dev red\nmark 16\n"), std::string::npos) << text;
}

TEST(ConfigPrint, PrintsWhatReadsBackAsItself) {
  const char* cases[] = {
      "",
      "local 192.0.2.1\nlocal 2001:db8::1 7\nlocal * 8 udp4",
      "proto udp6\nbind ipv6only",
      "server-ipv6 fd00:8::/64\nkeepalive 10 60\npush \"route 10.0.0.0 255.0.0.0\"",
      "mssfix 0\ntun-mtu 1400\nroute 192.168.0.0 255.255.0.0\nroute-ipv6 2001:db8::/32",
      "mssfix 1300 fixed\nreneg-sec 100 50\nconnect-freq-initial 5 6\nduplicate-cn",
      "force-tls-key-material-export",
      "setenv opt\nsetenv EMPTY\nsetenv A \"b c\"",
      "connect-freq 10 2\nconnect-freq-source 0 1\nconnect-freq-shared 100.64.0.0/10",
      "tls-auth \"a b\" 1\nauth SHA384\ndata-ciphers AES-128-GCM\ncrl-verify d dir",
      "tls-crypt k\nlog-append l\nstatus s 5\nwritepid p\nuser u\ngroup g\ncd /x\nworkers 2",
      "log l\nifconfig-pool-persist p 5\nexplicit-exit-notify 2\ntls-version-min 1.3",
      "tls-groups X25519\ntls-cipher A\ntls-ciphersuites B\ntls-cert-profile preferred",
      "worker-cores 3,0-1\nno-gso\nno-gro\nno-tso\nno-uso\nkernel-profile 6.1",
      "worker-cores off\nbatch-delay-us 70\nbusy-poll-us 20\nseccomp log",
      "remote-cert-tls client\nclient-to-client\nmax-clients 9\ndh dh.pem\nverb 7",
  };
  for (const char* lines : cases) {
    const auto config = parse_with_required(lines);
    ASSERT_TRUE(config) << lines << ": " << error_of(config);
    const std::string printed = without_comments(print_config(*config));

    const auto again = parse_server_config(printed, "printed", {}, no_such_file);

    ASSERT_TRUE(again) << printed << error_of(again);
    EXPECT_EQ(without_comments(print_config(*again)), printed) << lines;
  }
}

TEST(ConfigPrint, ShowsNoInlineKey) {
  const auto config = parse_server_config(
      "server 10.8.0.0 255.255.255.0\n<ca>\nAAA\n</ca>\n<cert>\nBBB\n</cert>\n<key>\nSECRET\n"
      "</key>\n<tls-crypt>\nSECRET\n</tls-crypt>\n",
      "f", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);

  const std::string printed = print_config(*config);

  EXPECT_EQ(printed.find("SECRET"), std::string::npos);
  EXPECT_NE(printed.find("# key: 7 bytes inline, not shown"), std::string::npos);
}

}  // namespace
}  // namespace ringway
