#include "control/config/config_parser.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

ServerConfig config_with(const std::string& lines, const std::vector<std::string>& extra = {}) {
  auto config = parse_with_required(lines, extra);
  EXPECT_TRUE(config) << lines << "\n" << error_of(config);
  return config ? std::move(*config) : ServerConfig{};
}

const std::string kDigest =
    "00112233445566778899AABBCCDDEEFF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:EF";

struct Meaning {
  std::string lines;
  std::function<bool(const ServerConfig&)> holds;
};

void expect_all(const std::vector<Meaning>& meanings) {
  for (const Meaning& meaning : meanings) {
    EXPECT_TRUE(meaning.holds(config_with(meaning.lines))) << meaning.lines;
  }
}

TEST(ConfigParser, GivesEveryTlsOptionItsMeaning) {
  using C = ServerConfig;
  expect_all({
      {"dh none", [](const C& c) { return !c.tls.dh.is_set(); }},
      {"dh dh.pem", [](const C& c) { return c.tls.dh.path == "dh.pem"; }},
      {"dh dh.pem\ndh none", [](const C& c) { return !c.tls.dh.is_set(); }},
      {"crl-verify crl.pem",
       [](const C& c) { return c.tls.crl.path == "crl.pem" && !c.tls.crl_is_directory; }},
      {"crl-verify crls dir",
       [](const C& c) { return c.tls.crl.path == "crls" && c.tls.crl_is_directory; }},
      {"<crl-verify>\nx\n</crl-verify>", [](const C& c) { return c.tls.crl.text == "x\n"; }},
      {"ca [inline]\n<ca>\nx\n</ca>\nca [inline]", [](const C& c) { return c.tls.ca.path != "x"; }},
      {"tls-version-min 1.3", [](const C& c) { return c.tls.version_min == "1.3"; }},
      {"tls-version-min 1.1",
       [](const C& c) { return c.tls.version_min == "1.2" && has_note(c, "means 1.2"); }},
      {"tls-version-max 1.3", [](const C& c) { return c.tls.version_min == "1.2"; }},
      {"tls-groups X25519", [](const C& c) { return c.tls.groups == "X25519"; }},
      {"ecdh-curve secp384r1", [](const C& c) { return c.tls.groups == "secp384r1"; }},
      {"ecdh-curve secp384r1\ntls-groups X448", [](const C& c) { return c.tls.groups == "X448"; }},
      {"tls-cipher A:B", [](const C& c) { return c.tls.cipher_list == "A:B"; }},
      {"tls-ciphersuites A", [](const C& c) { return c.tls.ciphersuites == "A"; }},
      {"tls-cert-profile suiteb", [](const C& c) { return c.tls.cert_profile == "suiteb"; }},
  });
}

TEST(ConfigParser, GivesEveryRuleForCertificatesItsMeaning) {
  using C = ServerConfig;
  expect_all({
      {"remote-cert-tls client", [](const C& c) { return c.tls.remote_cert_tls; }},
      {"verify-x509-name lap- name-prefix",
       [](const C& c) {
         return c.tls.peer_name == "lap-" &&
                c.tls.peer_name_match == PeerNameMatch::CommonNamePrefix;
       }},
      {"remote-cert-ku",
       [](const C& c) { return c.tls.rules.needs_key_usage && c.tls.rules.key_usages.empty(); }},
      {"remote-cert-ku 80 88",
       [](const C& c) { return c.tls.rules.key_usages == std::vector<std::uint16_t>{0x80, 0x88}; }},
      {"remote-cert-eku \"TLS Web Client Authentication\"",
       [](const C& c) {
         return c.tls.rules.extended_key_usage == "TLS Web Client Authentication";
       }},
      {"peer-fingerprint " + kDigest + "\n<peer-fingerprint>\n# Bob\n\n " + kDigest +
           "\n</peer-fingerprint>",
       [](const C& c) {
         return c.tls.rules.fingerprints.size() == 2 && c.tls.rules.fingerprints.at(1)[31] == 0xef;
       }},
      {"verify-hash 000102030405060708090a0b0c0d0e0f10111213",
       [](const C& c) { return c.tls.rules.issuer_digest.size() == 20; }},
      {"verify-hash " + kDigest + " SHA256",
       [](const C& c) { return c.tls.rules.issuer_digest.size() == 32; }},
      {"x509-username-field OU CN",
       [](const C& c) { return c.tls.rules.name_fields == std::vector<std::string>{"OU", "CN"}; }},
      {"askpass pass.txt\nextra-certs chain.pem\ncapath cas",
       [](const C& c) {
         return c.tls.key_passphrase.path == "pass.txt" && c.tls.extra_certs.path == "chain.pem" &&
                c.tls.ca_directory.path == "cas";
       }},
      {"verify-client-cert require",
       [](const C& c) { return c.tls.verify_client_cert == VerifyClientCert::Require; }},
  });
}

TEST(ConfigParser, GivesEveryCipherAndDigestItsMeaning) {
  using C = ServerConfig;
  expect_all({
      {"auth sha512", [](const C& c) { return c.wrap.auth == Digest::Sha512; }},
      {"auth RSA-SHA256", [](const C& c) { return c.wrap.auth == Digest::Sha256; }},
      {"auth SHA2-384", [](const C& c) { return c.wrap.auth == Digest::Sha384; }},
      {"auth none", [](const C& c) { return has_note(c, "`auth none` has no effect"); }},
      {"cipher AES-256-CBC", [](const C& c) { return has_note(c, "AES-256-CBC` has no effect"); }},
      {"data-ciphers-fallback AES-128-GCM",
       [](const C& c) { return c.data_cipher_fallback == DataCipher::Aes128Gcm; }},
      {"compress", [](const C& c) { return has_note(c, "compresses nothing"); }},
      {"compress stub-v2", [](const C& c) { return has_note(c, "compresses nothing"); }},
      {"compress migrate", [](const C& c) { return !has_note(c, "compress"); }},
      {"comp-lzo no", [](const C& c) { return has_note(c, "compresses nothing"); }},
      // C07
      {"push \"comp-lzo no\"",
       [](const C& c) { return has_note(c, "no effect") && !is_pushed(c, "comp-lzo no"); }},
      {"push \"compress lz4\"",
       [](const C& c) { return has_note(c, "no effect") && !is_pushed(c, "compress lz4"); }},
      {"push \"compress stub-v2\"", [](const C& c) { return is_pushed(c, "compress stub-v2"); }},
  });
}

TEST(ConfigParser, ReadsCipherLists) {
  using enum DataCipher;
  const std::map<std::string, std::vector<DataCipher>> cases = {
      {"data-ciphers DEFAULT", {Aes256Gcm, Aes128Gcm, ChaCha20Poly1305}},
      {"data-ciphers chacha20-poly1305:DEFAULT", {ChaCha20Poly1305, Aes256Gcm, Aes128Gcm}},
      {"data-ciphers ?AES-256-CBC:AES-128-GCM", {Aes128Gcm}},
      {"data-ciphers ?aes-128-gcm::AES-128-GCM:", {Aes128Gcm}},
      {"ncp-ciphers AES-256-GCM:AES-128-GCM", {Aes256Gcm, Aes128Gcm}},
      {"", {Aes256Gcm, Aes128Gcm, ChaCha20Poly1305}},
  };
  for (const auto& [lines, ciphers] : cases) {
    EXPECT_EQ(config_with(lines).data_ciphers, ciphers) << lines;
  }
}

TEST(ConfigParser, GivesEveryTunnelAndClientOptionItsMeaning) {
  using C = ServerConfig;
  expect_all({
      {"dev-type tun\ndev vpn0", [](const C& c) { return c.tunnel.device == "tun"; }},
      {"dev-node /dev/net/tun\nmode server\ntls-server", [](const C&) { return true; }},
      {"tun-mtu 9000", [](const C& c) { return c.tunnel.mtu == 9000; }},
      {"txqueuelen 500", [](const C& c) { return c.tunnel.txqueuelen == 500; }},
      {"route 192.168.4.0 255.255.255.0",
       [](const C& c) { return c.tunnel.routes.at(0).to_string() == "192.168.4.0/24"; }},
      {"route 192.168.4.1 default vpn_gateway 5",
       [](const C& c) { return c.tunnel.routes.at(0).length == 32 && has_note(c, "metric"); }},
      {"route-ipv6 2001:db8:4::/64",
       [](const C& c) { return c.tunnel.routes.at(0).to_string() == "2001:db8:4::/64"; }},
      {"route-ipv6 2001:db8:4::1 fd00::1",
       [](const C& c) { return c.tunnel.routes.at(0).length == 128 && has_note(c, "gateway"); }},
      {"ifconfig-pool-persist ipp.txt",
       [](const C& c) {
         return c.pool_persist_file == "ipp.txt" && c.pool_persist_interval == 600s;
       }},
      {"ifconfig-pool-persist ipp.txt 0", [](const C& c) { return c.pool_persist_interval == 0s; }},
      {"max-clients 5", [](const C& c) { return c.clients_max == 5; }},
      {"force-tls-key-material-export", [](const C& c) { return c.force_tls_key_export; }},
      {"duplicate-cn", [](const C& c) { return c.duplicate_cn; }},
      {"client-to-client", [](const C& c) { return c.client_to_client; }},
      {"explicit-exit-notify", [](const C& c) { return c.explicit_exit_notify == 1; }},
      {"explicit-exit-notify 2", [](const C& c) { return c.explicit_exit_notify == 2; }},
      {"connect-freq-initial 50 5",
       [](const C& c) {
         return c.connect_freq_initial.count == 50 && c.connect_freq_initial.period == 5s;
       }},
      {"sndbuf 1000\nrcvbuf 2000",
       [](const C& c) { return c.send_buffer == 1000 && c.receive_buffer == 2000; }},
  });
}

TEST(ConfigParser, GivesEveryTimerAndProcessOptionItsMeaning) {
  using C = ServerConfig;
  expect_all({
      {"ping 5", [](const C& c) { return c.timers.ping == 5s; }},
      {"ping-restart 50", [](const C& c) { return c.timers.ping_restart == 50s; }},
      {"reneg-sec 0", [](const C& c) { return c.timers.renegotiate == 0s; }},
      {"reneg-sec 100 50",
       [](const C& c) { return c.timers.renegotiate == 100s && c.timers.renegotiate_min == 50s; }},
      {"reneg-pkts 5000000000",
       [](const C& c) { return c.timers.renegotiate_packets == 5'000'000'000u; }},
      {"reneg-bytes 1000000000000",
       [](const C& c) { return c.timers.renegotiate_bytes == 1'000'000'000'000u; }},
      {"hand-window 30", [](const C& c) { return c.timers.hand_window == 30s; }},
      {"tran-window 30", [](const C& c) { return c.timers.tran_window == 30s; }},
      {"tls-timeout 1", [](const C& c) { return c.timers.tls_timeout == 1s; }},
      {"status s.log 5",
       [](const C& c) { return c.status_file == "s.log" && c.status_interval == 5s; }},
      {"status-version 3", [](const C& c) { return c.status_version == 3; }},
      {"log a.log", [](const C& c) { return c.log_file == "a.log" && !c.log_append; }},
      {"log-append a.log", [](const C& c) { return c.log_file == "a.log" && c.log_append; }},
      {"verb 4", [](const C& c) { return c.verb == 4; }},
      {"user a\ngroup b", [](const C& c) { return c.user == "a" && c.group == "b"; }},
      {"writepid p", [](const C& c) { return c.write_pid_file == "p"; }},
      {"cd /etc", [](const C& c) { return c.working_directory == "/etc"; }},
      {"workers 3", [](const C& c) { return c.workers.count == 3; }},
      {"worker-cores 0-2,7",
       [](const C& c) {
         return c.workers.cores == std::vector<unsigned>{0, 1, 2, 7} &&
                c.workers.pinning == WorkerConfig::Pinning::Listed;
       }},
      {"worker-cores 1\nworker-cores off",
       [](const C& c) {
         return c.workers.cores.empty() && c.workers.pinning == WorkerConfig::Pinning::Off;
       }},
      {"no-gso", [](const C& c) { return !c.workers.gso && c.workers.gro; }},
      {"no-gro", [](const C& c) { return !c.workers.gro && c.workers.gso; }},
      {"no-tso", [](const C& c) { return !c.workers.tso && c.workers.uso; }},
      {"no-uso", [](const C& c) { return !c.workers.uso && c.workers.tso; }},
      {"kernel-profile 6.1", [](const C& c) { return c.workers.like_6_1; }},
      {"kernel-profile newest", [](const C& c) { return !c.workers.like_6_1; }},
      {"batch-delay-us 0", [](const C& c) { return c.workers.batch_delay == Duration{0}; }},
      {"busy-poll-us 100", [](const C& c) { return c.workers.busy_poll == 100us; }},
      {"seccomp log", [](const C& c) { return c.seccomp == SeccompMode::Log; }},
      {"seccomp off", [](const C& c) { return c.seccomp == SeccompMode::Off; }},
      {"setenv A b",
       [](const C& c) {
         return c.programs.variables.at(0) == std::pair<std::string, std::string>("A", "b");
       }},
      {"setenv-safe A b",
       [](const C& c) { return c.programs.variables.at(0).first == "OPENVPN_A"; }},
      {"tmp-dir /run/x", [](const C& c) { return c.programs.directory == "/run/x"; }},
      {"script-security 2\nclient-connect \"/bin/a 'b c'\"",
       [](const C& c) {
         return c.programs.connect.words == std::vector<std::string>{"/bin/a", "b c"};
       }},
      {"script-security 3\nauth-user-pass-verify /bin/a via-env\nverify-client-cert none",
       [](const C& c) { return c.programs.password.is_set() && !c.programs.password_by_file; }},
      {"script-security 2\nauth-user-pass-verify /bin/a via-file\nusername-as-common-name",
       [](const C& c) {
         return c.programs.password_by_file && c.programs.username_as_common_name;
       }},
      {"daemon", [](const C& c) { return has_note(c, "`daemon` has no effect"); }},
  });
}

TEST(ConfigParser, LetsTheCommandLineWinOverTheFile) {
  const ServerConfig config = config_with(
      "port 1194\nproto udp4\npush \"a\"\nlocal 192.0.2.1",
      {"port 1195", "proto udp", "push b", "local 192.0.2.2", "local 192.0.2.3 7", "verb 5"});

  ASSERT_EQ(config.listen.size(), 2u);
  EXPECT_EQ(config.listen[0].address, IpAddress::parse("192.0.2.2"));
  EXPECT_EQ(config.listen[0].port, 1195);
  EXPECT_EQ(config.listen[1].port, 7);
  EXPECT_EQ(config.push[0], "a");
  EXPECT_EQ(config.push[1], "b");
  EXPECT_EQ(config.verb, 5);
}

TEST(ConfigParser, LetsALaterLineWinOverAnEarlierOne) {
  const ServerConfig config = config_with("verb 1\nverb 3\ncrl-verify d dir\ncrl-verify f");

  EXPECT_EQ(config.verb, 3);
  EXPECT_FALSE(config.tls.crl_is_directory);
}

TEST(ConfigParser, SkipsOptionsThatMayBeUnknown) {
  const ServerConfig config = config_with(
      "ignore-unknown-option frob plugin\nfrob 1\nplugin x.so\nsetenv opt knob 7\n"
      "setenv opt verb 3\nsetenv opt block-outside-dns\n<frob>\nx\n</frob>");

  EXPECT_EQ(config.verb, 3);
  EXPECT_TRUE(has_note(config, "server.conf:2: `frob` is skipped: it is unknown"));
  EXPECT_TRUE(has_note(config, "server.conf:3: `plugin` is skipped: it is not served yet"));
  EXPECT_TRUE(has_note(config, "`knob` is skipped"));
  EXPECT_TRUE(has_note(config, "`block-outside-dns` is skipped"));
}

TEST(ConfigParser, SkipsUnknownOptionsOnceForwardCompatible) {
  EXPECT_TRUE(has_note(config_with("setenv FORWARD_COMPATIBLE 1\nfrob"), "`frob` is skipped"));
  EXPECT_FALSE(parse_with_required("setenv FORWARD_COMPATIBLE 0\nfrob"));
  // Refused is not unknown: what would be lost is known.
  EXPECT_FALSE(parse_with_required("setenv FORWARD_COMPATIBLE 1\nplugin x.so"));
}

TEST(ConfigParser, SaysOnceWhatHasNoEffect) {
  const ServerConfig config = config_with("persist-key\npersist-key\npersist-tun");

  std::size_t count = 0;
  for (const std::string& note : config.notes) count += note.find("persist-key") != note.npos;
  EXPECT_EQ(count, 1u);
}

TEST(ConfigParser, ReadsFilesWithinFiles) {
  const std::map<std::string, std::string> files = {
      {"a.conf", "verb 4\nconfig b.conf\n"},
      {"b.conf", "port 7\ncd /srv\nconfig c.conf\n"},
      {"/srv/c.conf", "frob\n"},
      {"loop.conf", "config loop.conf\n"},
      {"wide.conf", "config a2.conf\nconfig a2.conf\n"},
      {"a2.conf", "float\n"},
  };
  const FileReader read = [&](const std::string& path) -> Result<std::string> {
    const auto file = files.find(path);
    if (file == files.end()) return fail("cannot open " + path);
    return file->second;
  };
  const auto message = [&](const std::string& lines) {
    return error_of(parse_server_config(lines + kRequiredLines, "server.conf", {}, read));
  };

  EXPECT_EQ(message("config a.conf\n"),
            "/srv/c.conf:1: unknown option `frob` — delete the line, or write "
            "`ignore-unknown-option NAME` before it");
  EXPECT_EQ(message("ignore-unknown-option frob\nconfig a.conf\n"), "(accepted)");
  EXPECT_NE(message("config loop.conf\n").find("loop.conf:1: `config loop.conf`: files are nested"),
            std::string::npos);
  EXPECT_EQ(message("config none.conf\n"),
            "server.conf:1: `config none.conf`: cannot open none.conf — name a file that can be "
            "read");
  std::string many;
  for (int i = 0; i < 33; ++i) many += "config wide.conf\n";
  EXPECT_NE(message(many).find("more than 64"), std::string::npos);
}

TEST(ConfigParser, LimitsTheOptionsOfAllFilesTogether) {
  std::string half;
  for (std::size_t i = 0; i < 6000; ++i) half += "float\n";
  const FileReader read = [&](const std::string&) -> Result<std::string> { return half; };

  const auto config = parse_server_config("config a\nconfig b\n", "server.conf", {}, read);

  EXPECT_NE(error_of(config).find("options in all files"), std::string::npos);
}

/// Real-looking files; what becomes of each is written down beside it.
TEST(ConfigParser, ReadsWholeFilesAsWrittenDown) {
  for (const char* name : {"dualstack", "openvpn24", "inline"}) {
    const std::string path = test_folder() + "samples/" + name;
    const auto config =
        parse_server_config(text_of_file(path + ".conf"), "server.conf", {}, no_such_file);
    ASSERT_TRUE(config) << name << ": " << error_of(config);

    const std::string printed = print_config(*config);

    EXPECT_EQ(printed, golden(path + ".txt", printed)) << name;
  }
}

}  // namespace
}  // namespace ringway
