#include "control/config/profile_parser.h"

#include <gtest/gtest.h>

#include <sstream>

#include "control/config/option_table.h"
#include "tests/control/config/config_support.h"

/// samples/profile-errors.txt has the form of errors.txt: see config_errors_test.cc.
namespace ringway {
namespace {

constexpr const char* kRequired =
    "client\ndev tun\nremote vpn.example.org\nca ca.crt\ncert me.crt\nkey me.key\n"
    "remote-cert-tls server\n";
constexpr const char* kReferenceMark = "<!-- The tables below are those of the parser: ";

std::string first_word(const std::string& line) { return line.substr(0, line.find(' ')); }

/// `lines` first, then the required lines but for those that the first of `lines` gives itself.
Result<ClientConfig> parse(const std::string& lines, const std::vector<std::string>& extra = {}) {
  const std::string name = first_word(lines.substr(0, lines.find('\n')));
  std::string text = lines + "\n";
  std::istringstream required(kRequired);
  for (std::string line; std::getline(required, line);) {
    if (first_word(line) != name) text += line + "\n";
  }
  return parse_client_profile(text, "me.ovpn", extra, no_such_file);
}

std::string error_of(const Result<ClientConfig>& result) {
  return result ? "(accepted)" : result.error().to_string();
}

std::string notes_of(const ClientConfig& config) {
  std::string notes;
  for (const std::string& note : config.notes) notes += note + "\n";
  return notes;
}

TEST(ProfileParser, KnowsTheServerByAnAuthorityOrByAFingerprint) {
  const std::string rest = "client\ndev tun\nremote vpn.example.org\ncert me.crt\nkey me.key\n";
  EXPECT_NE(
      error_of(parse_client_profile(rest, "me.ovpn", {}, no_such_file)).find("`ca` is missing"),
      std::string::npos);

  std::string digest = "00";
  for (int i = 1; i < 32; ++i) digest += ":ab";
  const auto config =
      parse_client_profile(rest + "peer-fingerprint " + digest, "me.ovpn", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);
  ASSERT_EQ(config->tls.rules.fingerprints.size(), 1u);
  EXPECT_EQ(config->tls.rules.fingerprints[0][0], 0x00);
  EXPECT_EQ(config->tls.rules.fingerprints[0][31], 0xab);
}

TEST(ProfileParser, ReadsAProfileWithInlineFiles) {
  const auto config = parse_client_profile(text_of_file(test_folder() + "samples/client.ovpn"),
                                           "client.ovpn", {}, no_such_file);

  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remotes[0].host, "vpn.example.org");
  EXPECT_EQ(config->remotes[0].port, 1195);
  EXPECT_EQ(config->remotes[0].family, LinkFamily::V6Only);
  EXPECT_EQ(config->tunnel.device, "tun");
  EXPECT_TRUE(config->tls.ca.is_inline && config->tls.cert.is_inline && config->tls.key.is_inline);
  EXPECT_EQ(config->tls.ca.text, "the authority\n");
  EXPECT_TRUE(config->tls.remote_cert_tls);
  EXPECT_EQ(config->tls.peer_name, "server.example.org");
  EXPECT_EQ(config->tls.peer_name_match, PeerNameMatch::CommonName);
  EXPECT_EQ(config->wrap.mode, WrapMode::TlsAuth);
  EXPECT_EQ(config->wrap.direction, 1);
  EXPECT_EQ(config->wrap.auth, Digest::Sha256);
  EXPECT_EQ(config->data_ciphers,
            (std::vector{DataCipher::ChaCha20Poly1305, DataCipher::Aes256Gcm}));
  EXPECT_EQ(config->remotes[0].exit_notify, 2u);
  EXPECT_EQ(config->retry.wait, 2s);
  EXPECT_EQ(config->retry.wait_max, 60s);
  EXPECT_TRUE(config->persist_tun);
  EXPECT_EQ(config->verb, 3);
  EXPECT_EQ(config->retry.resolve_for, std::nullopt);
  EXPECT_NE(notes_of(*config).find("`persist-key` has no effect"), std::string::npos);
}

TEST(ProfileParser, NeedsLittle) {
  const auto config = parse("client");

  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remotes[0].port, 1194);
  EXPECT_EQ(config->remotes[0].family, LinkFamily::Both);
  EXPECT_EQ(config->wrap.mode, WrapMode::None);
  EXPECT_EQ(config->timers.ping_restart, 120s);
  EXPECT_EQ(config->remotes[0].exit_notify, 1u);
  EXPECT_EQ(config->retry.attempts_max, std::nullopt);
  EXPECT_TRUE(config->worker.gso && config->worker.gro);
  EXPECT_EQ(notes_of(*config), "");
}

TEST(ProfileParser, TakesPortAndProtoWhereRemoteNamesNone) {
  const auto config = parse("port 443\nproto udp6");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remotes[0].port, 443);
  EXPECT_EQ(config->remotes[0].family, LinkFamily::V6Only);

  EXPECT_EQ(parse("remote 192.0.2.1 1200 udp4\nproto udp6")->remotes[0].family, LinkFamily::V4Only);
}

TEST(ProfileParser, LetsTheCommandLineWin) {
  const auto config = parse("verb 1", {"remote 192.0.2.7 1300", "verb 5", "no-gso"});
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remotes[0].host, "192.0.2.7");
  EXPECT_EQ(config->verb, 5);
  EXPECT_FALSE(config->worker.gso);
}

TEST(ProfileParser, KeepsServersInTheirOrder) {
  const auto config = parse(
      "remote a 1195\nremote b 1196 udp6\nremote 192.0.2.1\nremote 2001:db8::1 443\nport 99\n"
      "proto udp4");
  ASSERT_FALSE(config) << "an IPv6 address, and IPv4 alone";
  const auto both = parse("remote a 1195\nremote b 1196 udp6\nremote 192.0.2.1\nport 99");
  ASSERT_TRUE(both) << error_of(both);
  ASSERT_EQ(both->remotes.size(), 3u);
  EXPECT_EQ(both->remotes[0].family, LinkFamily::Both);
  EXPECT_EQ(both->remotes[1].host, "b");
  EXPECT_EQ(both->remotes[1].family, LinkFamily::V6Only);
  EXPECT_EQ(both->remotes[2].port, 99);
  EXPECT_EQ(both->remotes[2].family, LinkFamily::V4Only);
}

TEST(ProfileParser, ReadsWhatABlockSaysForOneServer) {
  const auto config = parse(
      "remote c\nconnect-timeout 7\nproto udp6\nlport 2000\nfloat\n"
      "<connection>\nremote a 1195 udp\nconnect-timeout 3\nnobind\nexplicit-exit-notify 3\n"
      "</connection>\n<connection>\n# the second\nremote b\nport 1300\nlport 0\n"
      "local 2001:db8::5\n</connection>\n");
  ASSERT_TRUE(config) << error_of(config);
  ASSERT_EQ(config->remotes.size(), 3u);
  const RemoteConfig& a = config->remotes[1];
  EXPECT_EQ(a.port, 1195);
  EXPECT_EQ(a.family, LinkFamily::Both);
  EXPECT_EQ(a.connect_timeout, 3s);
  EXPECT_EQ(a.local.port, 0);
  EXPECT_EQ(a.exit_notify, 3u);
  EXPECT_TRUE(a.floats);
  const RemoteConfig& b = config->remotes[2];
  EXPECT_EQ(b.port, 1300);
  EXPECT_EQ(b.family, LinkFamily::V6Only);
  EXPECT_EQ(b.connect_timeout, 7s);
  EXPECT_EQ(b.local.address, IpAddress::parse("2001:db8::5"));
  EXPECT_EQ(b.local.port, 0);
  EXPECT_EQ(b.exit_notify, 1u);
  EXPECT_EQ(config->remotes[0].local.port, 2000);
}

TEST(ProfileParser, BindsTheSocketOnlyWhereTheProfileSaysSo) {
  struct Row {
    const char* lines;
    std::uint16_t port;
  };
  for (const Row& row : {Row{"client", 0}, Row{"nobind", 0}, Row{"bind", 1194},
                         Row{"bind\nport 7", 7}, Row{"bind\nlport 8", 8}, Row{"lport 9", 9},
                         Row{"lport 9\nnobind", 0}, Row{"bind\nlport 0", 0}}) {
    EXPECT_EQ(parse(row.lines)->remotes[0].local.port, row.port) << row.lines;
  }
}

TEST(ProfileParser, TakesAPasswordInPlaceOfACertificate) {
  const auto config = parse_client_profile(
      "dev tun\nremote a\nca ca.crt\n<auth-user-pass>\njoe\r\nsecret\n</auth-user-pass>\n",
      "me.ovpn", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);

  const auto user = read_user_password(config->auth_user_pass);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->username, "joe");
  EXPECT_EQ(user->password.view(), "secret");
}

TEST(ProfileParser, LeavesThePasswordToBeAsked) {
  for (const char* text : {"joe", "joe\n", "joe\r\n\r\n"}) {
    const auto user = read_user_password({.path = "u", .text = text, .where = "me.ovpn:3"});
    ASSERT_TRUE(user) << text;
    EXPECT_EQ(user->username, "joe");
    EXPECT_TRUE(user->password.empty());
  }
}

TEST(ProfileParser, ReadsHowToLogIn) {
  const auto config = parse(
      "auth-user-pass\nauth-nocache\nauth-retry interact\nstatic-challenge \"Your PIN\" 1\n"
      "askpass");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_TRUE(config->login.is_wanted && config->login.forgets && config->login.asks_passphrase);
  EXPECT_FALSE(config->auth_user_pass.is_set());
  EXPECT_EQ(config->login.retry, LoginRetry::Interact);
  EXPECT_EQ(config->login.challenge, "Your PIN");
  EXPECT_TRUE(config->login.challenge_echoes);
  EXPECT_TRUE(parse("auth-user-pass stdin")->login.is_wanted);
  EXPECT_FALSE(parse("auth-user-pass stdin")->auth_user_pass.is_set());
}

TEST(ProfileParser, ReadsWhenTheClientEndsByItself) {
  const auto config = parse("ping-restart 60\nping-exit 30\ninactive 100 2000\nsession-timeout 9");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_TRUE(config->lifetime.ping_exits);
  EXPECT_EQ(config->timers.ping_restart, 30s);
  EXPECT_EQ(config->lifetime.inactive, 100s);
  EXPECT_EQ(config->lifetime.inactive_bytes, 2000u);
  EXPECT_EQ(config->lifetime.session, 9s);
  EXPECT_FALSE(parse("ping-exit 30\nping-restart 60")->lifetime.ping_exits);
}

TEST(ProfileParser, WantsAName) {
  for (const char* text : {"", "\nsecret\n"}) {
    const auto user = read_user_password({.path = "u", .text = text, .where = "me.ovpn:3"});
    ASSERT_FALSE(user) << text;
    EXPECT_EQ(user.error().where, "me.ovpn:3");
  }
}

TEST(ProfileParser, TakesTheNetworksLines) {
  const auto config = parse(
      "redirect-gateway def1 ipv6\nroute 10.1.0.0 255.255.0.0 net_gateway\n"
      "dhcp-option DNS 9.9.9.9\n"
      "dhcp-option WINS 9.9.9.9\nroute-noexec\nifconfig-noexec\ndns-updown disable\n"
      "undo-directory /run/me");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_TRUE(config->network.redirect.all_traffic && config->network.redirect.ipv6);
  EXPECT_EQ(config->network.routes.size(), 1u);
  EXPECT_EQ(config->network.dns.servers().size(), 1u);
  EXPECT_TRUE(config->route_noexec && config->ifconfig_noexec && config->dns_noexec);
  EXPECT_EQ(config->undo_directory, "/run/me");
  EXPECT_NE(notes_of(*config).find("`dhcp-option WINS 9.9.9.9` has no effect"), std::string::npos);
}

TEST(ProfileParser, KeepsFiltersInTheirOrder) {
  const auto config = parse("pull-filter ignore \"route 10.\"\npull-filter reject route");
  ASSERT_TRUE(config) << error_of(config);
  ASSERT_EQ(config->pull_filters.size(), 2u);
  EXPECT_EQ(config->pull_filters[0].prefix, "route 10.");
  EXPECT_EQ(config->pull_filters[1].action, PullFilter::Action::Reject);
}

TEST(ProfileParser, WarnsWhenAnyCertificateMayPoseAsTheServer) {
  const auto config = parse_client_profile("dev tun\nremote a\nca ca.crt\ncert c\nkey k\n",
                                           "me.ovpn", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_NE(notes_of(*config).find("remote-cert-tls server"), std::string::npos);
}

TEST(ProfileParser, SaysFileLineReasonAndWhatToWriteInstead) {
  const std::string path = test_folder() + "samples/profile-errors.txt";
  std::istringstream stream(text_of_file(path));
  std::string lines;
  std::string updated;
  std::size_t count = 0;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("| ")) lines += line.substr(2) + "\n";
    if (!line.starts_with("> ")) continue;
    const std::string message = error_of(parse(lines));
    EXPECT_EQ(message, line.substr(2)) << lines;
    EXPECT_TRUE(message.starts_with("me.ovpn")) << message;
    EXPECT_NE(message.find(" — "), std::string::npos) << message;
    std::istringstream shown(lines);
    for (std::string one; std::getline(shown, one);) updated += "| " + one + "\n";
    updated += "> " + message + "\n\n";
    lines.clear();
    ++count;
  }
  EXPECT_GT(count, 25u);
  if (updates_golden()) golden(path, updated);
}

TEST(ProfileOptions, HaveAReasonForEveryRowAndARemedyForEveryRefusal) {
  for (const OptionSection& section : option_sections(ConfigKind::Client)) {
    for (const OptionRow& row : section.rows) {
      EXPECT_FALSE(row.text.empty()) << row.name;
      EXPECT_EQ(row.status == OptionStatus::Refused, !row.instead.empty()) << row.name;
      EXPECT_EQ(row.status == OptionStatus::Works, row.apply != nullptr) << row.name;
      EXPECT_EQ(row.status == OptionStatus::Works, row.text.ends_with('.')) << row.name;
      EXPECT_EQ(find_option(row.name, ConfigKind::Client), &row) << row.name;
    }
  }
}

TEST(ProfileOptions, DoWhatTheirRowSays) {
  for (const OptionSection& section : option_sections(ConfigKind::Client)) {
    for (const OptionRow& row : section.rows) {
      const auto config = parse(std::string(row.name));
      if (row.status == OptionStatus::Refused) {
        EXPECT_NE(error_of(config).find(row.instead), std::string::npos) << row.name;
      }
      if (row.status == OptionStatus::NoEffect) {
        EXPECT_TRUE(config) << error_of(config);
      }
    }
  }
}

TEST(ProfileOptions, KnowEveryOptionOfOpenVpn26) {
  std::istringstream names(text_of_file(test_folder() + "samples/openvpn26-options.txt"));
  for (std::string name; names >> name;) {
    EXPECT_NE(find_option(name, ConfigKind::Client), nullptr) << name;
  }
  EXPECT_EQ(find_option("frobnicate", ConfigKind::Client), nullptr);
}

TEST(ProfileOptions, AreWhatTheManualSays) {
  const std::string path = std::string(RINGWAY_SOURCE_ROOT) + "/docs/CLIENT.md";
  const std::string text = text_of_file(path);
  const std::size_t mark = text.find(kReferenceMark);
  ASSERT_NE(mark, std::string::npos) << path;
  const std::size_t tables = text.find('\n', mark) + 2;

  const std::string expected = text.substr(0, tables) + option_reference(ConfigKind::Client);

  EXPECT_EQ(golden(path, expected), expected)
      << "run the test with RINGWAY_UPDATE_GOLDEN=1 to write the tables anew";
}

}  // namespace
}  // namespace ringway
