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

TEST(ProfileParser, ReadsAProfileWithInlineFiles) {
  const auto config = parse_client_profile(text_of_file(test_folder() + "samples/client.ovpn"),
                                           "client.ovpn", {}, no_such_file);

  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remote.host, "vpn.example.org");
  EXPECT_EQ(config->remote.port, 1195);
  EXPECT_EQ(config->remote.family, LinkFamily::V6Only);
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
  EXPECT_EQ(config->exit_notify, 2u);
  EXPECT_EQ(config->retry.wait, 2s);
  EXPECT_EQ(config->retry.wait_max, 60s);
  EXPECT_TRUE(config->persist_tun);
  EXPECT_EQ(config->verb, 3);
  EXPECT_NE(notes_of(*config).find("`resolv-retry` has no effect"), std::string::npos);
}

TEST(ProfileParser, NeedsLittle) {
  const auto config = parse("client");

  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remote.port, 1194);
  EXPECT_EQ(config->remote.family, LinkFamily::Both);
  EXPECT_EQ(config->wrap.mode, WrapMode::None);
  EXPECT_EQ(config->timers.ping_restart, 120s);
  EXPECT_EQ(config->exit_notify, 1u);
  EXPECT_EQ(config->retry.attempts_max, std::nullopt);
  EXPECT_TRUE(config->worker.gso && config->worker.gro);
  EXPECT_EQ(notes_of(*config), "");
}

TEST(ProfileParser, TakesPortAndProtoWhereRemoteNamesNone) {
  const auto config = parse("port 443\nproto udp6");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remote.port, 443);
  EXPECT_EQ(config->remote.family, LinkFamily::V6Only);

  EXPECT_EQ(parse("remote 192.0.2.1 1200 udp4\nproto udp6")->remote.family, LinkFamily::V4Only);
}

TEST(ProfileParser, LetsTheCommandLineWin) {
  const auto config = parse("verb 1", {"remote 192.0.2.7 1300", "verb 5", "no-gso"});
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->remote.host, "192.0.2.7");
  EXPECT_EQ(config->verb, 5);
  EXPECT_FALSE(config->worker.gso);
}

TEST(ProfileParser, TakesAPasswordInPlaceOfACertificate) {
  const auto config = parse_client_profile(
      "dev tun\nremote a\nca ca.crt\n<auth-user-pass>\njoe\r\nsecret\n</auth-user-pass>\n",
      "me.ovpn", {}, no_such_file);
  ASSERT_TRUE(config) << error_of(config);

  const auto user = read_user_password(config->auth_user_pass);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->username, "joe");
  EXPECT_EQ(user->password, "secret");
}

TEST(ProfileParser, WantsBothNameAndPassword) {
  for (const char* text : {"", "joe", "joe\n", "\nsecret\n"}) {
    const auto user = read_user_password({.path = "u", .text = text, .where = "me.ovpn:3"});
    ASSERT_FALSE(user) << text;
    EXPECT_EQ(user.error().where, "me.ovpn:3");
  }
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
