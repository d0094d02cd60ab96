#include "control/pki/profile_text.h"

#include <gtest/gtest.h>

#include "control/config/profile_parser.h"
#include "tests/support/certificates.h"

namespace ringway {
namespace {

ServerConfig config_of(std::vector<ListenConfig> listen = {ListenConfig{}}) {
  ServerConfig config;
  config.source = "server.conf";
  config.listen = std::move(listen);
  config.tls.ca.text = std::string("Certificate:\n  Data: described\n") + std::string(test::kCaPem);
  config.tls.cert.text = test::kServerCertPem;
  return config;
}

ProfileOwner owner() {
  return {.name = "alice",
          .cert_pem = std::string(test::kClientCertPem),
          .key_pem = std::string(test::kClientKeyPem)};
}

std::string text_of(const ServerConfig& config,
                    std::vector<std::string> hosts = {"vpn.example.com"},
                    const ProfileOwner& who = owner()) {
  const auto text = profile_text(config, hosts, who);
  EXPECT_TRUE(text.has_value());
  return text.value_or("");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The `remote` lines, in their order.
std::string remotes_in(const std::string& text) {
  std::string remotes;
  for (std::size_t at = 0; (at = text.find("\nremote ", at)) != std::string::npos; ++at) {
    remotes += text.substr(at + 1, text.find('\n', at + 1) - at);
  }
  return remotes;
}

TEST(ProfileText, NamesTheServerOverIpv6First) {
  EXPECT_EQ(remotes_in(text_of(config_of())),
            "remote vpn.example.com 1194 udp6\nremote vpn.example.com 1194 udp4\n");
  EXPECT_EQ(remotes_in(text_of(config_of({{.port = 443, .is_tcp = true}, {.port = 1194}}))),
            "remote vpn.example.com 1194 udp6\nremote vpn.example.com 1194 udp4\n"
            "remote vpn.example.com 443 tcp6-client\nremote vpn.example.com 443 tcp4-client\n");
  EXPECT_EQ(remotes_in(text_of(config_of({{.family = LinkFamily::V4Only}}))),
            "remote vpn.example.com 1194 udp4\n");
  EXPECT_EQ(remotes_in(text_of(config_of(), {"192.0.2.1", "2001:db8::1"})),
            "remote 2001:db8::1 1194 udp6\nremote 192.0.2.1 1194 udp4\n");
  // One name, however many addresses it has.
  EXPECT_EQ(remotes_in(text_of(config_of(
                {{.address = IpAddress::parse("192.0.2.1"), .family = LinkFamily::V4Only},
                 {.address = IpAddress::parse("192.0.2.2"), .family = LinkFamily::V4Only}}))),
            "remote vpn.example.com 1194 udp4\n");
}

TEST(ProfileText, IsReadByOurOwnClientWithoutANote) {
  ServerConfig config = config_of({{.port = 1194}, {.port = 443, .is_tcp = true}});
  config.wrap.auth = Digest::Sha512;
  config.data_ciphers = {DataCipher::ChaCha20Poly1305};
  const auto read = [](const std::string&) -> Result<std::string> { return fail("no file"); };
  const auto profile = parse_client_profile(text_of(config), "alice.ovpn", {}, read);
  ASSERT_TRUE(profile.has_value()) << profile.error().to_string();
  EXPECT_EQ(profile->remotes.size(), 4u);
  EXPECT_EQ(profile->tls.ca.text, test::kCaPem) << "without what was written around it";
  EXPECT_EQ(profile->tls.peer_name, "server");
  EXPECT_TRUE(profile->tls.remote_cert_tls);
  EXPECT_EQ(profile->wrap.auth, Digest::Sha512);
  EXPECT_EQ(profile->data_ciphers, config.data_ciphers);
}

TEST(ProfileText, HasTheServersControlChannelKey) {
  ServerConfig config = config_of();
  config.wrap = {.mode = WrapMode::TlsAuth, .direction = 0};
  config.wrap.key.text = "shared\n";
  EXPECT_TRUE(has(text_of(config), "key-direction 1\n<tls-auth>\nshared\n</tls-auth>\n"));
  config.wrap.direction.reset();
  EXPECT_FALSE(has(text_of(config), "key-direction"));
  config.wrap.mode = WrapMode::TlsCrypt;
  EXPECT_TRUE(has(text_of(config), "<tls-crypt>\nshared\n</tls-crypt>\n"));
  ProfileOwner with_key = owner();
  with_key.v2_key_pem = "own\n";
  const std::string text = text_of(config, {"vpn.example.com"}, with_key);
  EXPECT_TRUE(has(text, "<tls-crypt-v2>\nown\n</tls-crypt-v2>\n"));
  EXPECT_FALSE(has(text, "<tls-crypt>"));
}

TEST(ProfileText, SaysNothingThatOpenVpnRefuses) {
  EXPECT_TRUE(has(text_of(config_of()), "\nexplicit-exit-notify 1\n"));
  EXPECT_FALSE(has(text_of(config_of({{.port = 443, .is_tcp = true}})), "explicit-exit-notify"));
  EXPECT_FALSE(has(text_of(config_of()), "data-ciphers"));
}

TEST(ProfileText, WantsSomethingToTrustTheServerBy) {
  ServerConfig config = config_of();
  config.tls.ca.text.clear();
  EXPECT_FALSE(profile_text(config, {"vpn.example.com"}, owner()));
  EXPECT_FALSE(profile_text(config_of({{.family = LinkFamily::V4Only}}), {"2001:db8::1"}, owner()));
}

TEST(ProfileText, TakesTheCertificatesNameForTheHostWhereItIsOne) {
  EXPECT_EQ(host_of_certificate(config_of()), "") << "`server` is no name on the Internet";
}

}  // namespace
}  // namespace ringway
