#include "control/channel/tls_session.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>

#include "tests/support/certificate_maker.h"
#include "tests/support/channel_pair.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::client_material;
using test::kTestDay;
using test::server_material;

/// Carries bytes between the two until nothing moves, `chunk` at a time.
void shuttle(TlsSession& a, TlsSession& b, std::size_t chunk = 1000) {
  std::vector<std::uint8_t> bytes(chunk);
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      if (const std::size_t size = from->take_output(bytes)) {
        to->feed(Bytes(bytes).first(size));
        moved = true;
      }
    }
    // Reading is what notices an alert, and in TLS 1.3 the other end's verdict about us.
    std::vector<std::uint8_t> record(TlsSession::kRecordSizeMax);
    if (a.handshake_done() && a.output_size() == 0) (void)a.read(record);
  }
}

struct TlsPair {
  explicit TlsPair(const TlsMaterial& server_side = server_material(),
                   const TlsMaterial& client_side = client_material(), UnixTime now = kTestDay)
      : server_context(test::make_context(Side::Server, server_side)),
        client_context(test::make_context(Side::Client, client_side)),
        server(server_context, now),
        client(client_context, now) {}
  void run(std::size_t chunk = 1000) { shuttle(client, server, chunk); }

  TlsContext server_context;
  TlsContext client_context;
  TlsSession server;
  TlsSession client;
};

std::vector<std::uint8_t> bytes_from(std::string_view text) { return {text.begin(), text.end()}; }

TEST(TlsSession, ShakesHandsByteByByte) {
  TlsPair pair;
  pair.run(1);
  ASSERT_TRUE(pair.server.handshake_done()) << pair.server.failure();
  ASSERT_TRUE(pair.client.handshake_done()) << pair.client.failure();
  const PeerCertificate certificate = pair.server.peer_certificate();
  EXPECT_TRUE(certificate.present);
  EXPECT_EQ(certificate.common_name, "client1");
  EXPECT_EQ(certificate.subject, "CN=client1, O=Ringway tests");
  EXPECT_EQ(certificate.serial_decimal, "4099");
  EXPECT_NE(certificate.sha256, (std::array<std::uint8_t, 32>{}));
  EXPECT_EQ(pair.client.peer_certificate().common_name, "server");
}

TEST(TlsSession, CarriesOneMessageInOneRecord) {
  TlsPair pair;
  pair.run();
  pair.client.write(bytes_from("first"));
  pair.client.write(bytes_from("second"));
  std::vector<std::uint8_t> stream(4096);
  pair.server.feed(Bytes(stream).first(pair.client.take_output(stream)));

  std::vector<std::uint8_t> record(TlsSession::kRecordSizeMax);
  EXPECT_EQ(pair.server.read(record), 5u);
  EXPECT_EQ(pair.server.read(record), 6u);
  EXPECT_EQ(pair.server.read(record), std::nullopt);
  EXPECT_FALSE(pair.server.failed());
}

TEST(TlsSession, ExportsTheSameKeyOnBothEnds) {
  TlsPair pair;
  pair.run();
  std::vector<std::uint8_t> server(256), client(256), other(256);
  ASSERT_TRUE(pair.server.export_keying_material("EXPORTER-OpenVPN-datakeys", server));
  ASSERT_TRUE(pair.client.export_keying_material("EXPORTER-OpenVPN-datakeys", client));
  ASSERT_TRUE(pair.client.export_keying_material("EXPORTER-OpenVPN-something", other));
  EXPECT_EQ(server, client);
  EXPECT_NE(other, client);
}

TEST(TlsSession, ExportsNothingBeforeTheHandshake) {
  TlsPair pair;
  std::vector<std::uint8_t> key(256);
  EXPECT_FALSE(pair.client.export_keying_material("EXPORTER-OpenVPN-datakeys", key));
}

// HKDF-Expand-Label and the exporter of RFC 8446, 7.1 and 7.5, with an empty context.
std::vector<std::uint8_t> expand_label(const char* digest, Bytes secret, std::string_view label,
                                       Bytes context, std::size_t size) {
  std::vector<std::uint8_t> info = {static_cast<std::uint8_t>(size >> 8),
                                    static_cast<std::uint8_t>(size),
                                    static_cast<std::uint8_t>(6 + label.size())};
  for (const char c : std::string("tls13 ") + std::string(label)) {
    info.push_back(static_cast<std::uint8_t>(c));
  }
  info.push_back(static_cast<std::uint8_t>(context.size()));
  info.insert(info.end(), context.begin(), context.end());

  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* kdf_context = EVP_KDF_CTX_new(kdf);
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::string digest_name(digest);
  std::vector<std::uint8_t> key(secret.begin(), secret.end());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  std::vector<std::uint8_t> out(size);
  EXPECT_EQ(EVP_KDF_derive(kdf_context, out.data(), out.size(), parameters), 1);
  EVP_KDF_CTX_free(kdf_context);
  EVP_KDF_free(kdf);
  return out;
}

std::vector<std::uint8_t> reference_exporter(Bytes secret, std::string_view label) {
  std::vector<std::uint8_t> empty_hash(48);
  EVP_Digest("", 0, empty_hash.data(), nullptr, EVP_sha384(), nullptr);
  const auto derived = expand_label("SHA384", secret, label, empty_hash, 48);
  return expand_label("SHA384", derived, "exporter", empty_hash, 256);
}

std::string exporter_secret_hex;  // NOLINT: OpenSSL's callback has no argument of its own.
void note_exporter_secret(const SSL*, const char* line) {
  const std::string_view text(line);
  if (text.starts_with("EXPORTER_SECRET ")) exporter_secret_hex = text.substr(text.rfind(' ') + 1);
}

// The chain to a real session: the reference gives that session's keys, and we give the
// reference's.
TEST(TlsSession, ExportsAsARealSessionDid) {
  const test::Vector vector = test::load_vector("tls-ekm");
  EXPECT_EQ(
      reference_exporter(vector.bytes("exporter_master_secret"), vector.text("datakeys_label")),
      vector.bytes("datakeys_256"));

  TlsContext server_context = test::make_context(Side::Server, server_material());
  TlsContext client_context = test::make_context(Side::Client, client_material());
  SSL_CTX_set_keylog_callback(client_context.native(), note_exporter_secret);
  TlsSession server(server_context, kTestDay);
  TlsSession client(client_context, kTestDay);
  shuttle(client, server);
  std::vector<std::uint8_t> key(256);
  ASSERT_TRUE(server.export_keying_material("EXPORTER-OpenVPN-datakeys", key));
  EXPECT_EQ(key,
            reference_exporter(test::from_hex(exporter_secret_hex), "EXPORTER-OpenVPN-datakeys"));
}

/// The server's words about a client that shows `certificate`.
std::string verdict(const std::string& certificate, std::string_view key = test::kClientKeyPem,
                    TlsMaterial server_side = server_material(), UnixTime now = kTestDay) {
  TlsMaterial client_side = client_material();
  client_side.cert_pem = certificate;
  client_side.key_pem = key;
  TlsPair pair(server_side, client_side, now);
  pair.run();
  EXPECT_EQ(pair.server.failed(), !pair.server.handshake_done());
  if (pair.server.failed()) {
    EXPECT_TRUE(pair.client.failed()) << "the alert tells the client";
  }
  return pair.server.failure();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(TlsSession, RefusesTheCertificateOfAnotherCa) {
  const std::string words =
      verdict(std::string(test::kForeignClientCertPem), test::kForeignClientKeyPem);
  EXPECT_TRUE(contains(words, "certificate is refused")) << words;
  EXPECT_TRUE(contains(words, "CN=stranger")) << words;
}

TEST(TlsSession, RefusesAServerOfAnotherCa) {
  TlsMaterial impostor = server_material();
  impostor.cert_pem = test::kForeignServerCertPem;
  impostor.key_pem = test::kForeignServerKeyPem;
  TlsPair pair(impostor, client_material());
  pair.run();
  EXPECT_TRUE(contains(pair.client.failure(), "certificate is refused")) << pair.client.failure();
  EXPECT_TRUE(pair.server.failed());
}

TEST(TlsSession, RefusesARevokedCertificateAndTakesTheOthers) {
  TlsMaterial material = server_material();
  material.crl_pem = test::kCrlPem;
  const std::string words =
      verdict(std::string(test::kRevokedClientCertPem), test::kRevokedClientKeyPem, material);
  EXPECT_TRUE(contains(words, "revoked")) << words;
  EXPECT_EQ(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, material), "");
  EXPECT_EQ(verdict(std::string(test::kRevokedClientCertPem), test::kRevokedClientKeyPem), "");
}

TEST(TlsSession, SeesARevocationListThatWasReplaced) {
  TlsMaterial material = server_material();
  material.crl_pem = test::kEmptyCrlPem;
  TlsContext server_context = test::make_context(Side::Server, material);
  TlsMaterial revoked = client_material();
  revoked.cert_pem = test::kRevokedClientCertPem;
  revoked.key_pem = test::kRevokedClientKeyPem;
  const TlsContext client_context = test::make_context(Side::Client, revoked);
  const auto is_let_in = [&] {
    TlsSession server(server_context, kTestDay);
    TlsSession client(client_context, kTestDay);
    shuttle(client, server);
    return server.handshake_done();
  };

  EXPECT_TRUE(is_let_in());
  ASSERT_TRUE(server_context.replace_crl(std::string(test::kCrlPem), kTestDay).has_value());
  EXPECT_FALSE(is_let_in());
  ASSERT_FALSE(server_context.replace_crl("garbage", kTestDay).has_value());
  EXPECT_FALSE(is_let_in()) << "a broken list replaces nothing";
}

TEST(TlsSession, RefusesEverybodyOnceTheRevocationListHasExpired) {
  TlsMaterial material = server_material();
  material.crl_pem = test::kExpiredCrlPem;
  constexpr UnixTime kFresh{1'578'000'000};
  auto context = TlsContext::make(Side::Server, material, kFresh);
  ASSERT_TRUE(context.has_value());
  const TlsContext client_context = test::make_context(Side::Client, client_material());
  for (const bool late : {false, true}) {
    TlsSession server(*context, late ? kTestDay : kFresh);
    TlsSession client(client_context, late ? kTestDay : kFresh);
    shuttle(client, server);
    EXPECT_EQ(server.handshake_done(), !late) << server.failure();
  }
}

TEST(TlsSession, ToleratesACaWithoutRevocationList) {
  TlsMaterial material = server_material();
  material.ca_pem = std::string(test::kCaPem) + std::string(test::kForeignCaPem);
  material.crl_pem = test::kCrlPem;
  EXPECT_EQ(verdict(std::string(test::kForeignClientCertPem), test::kForeignClientKeyPem, material),
            "");
}

TEST(TlsSession, RefusesAMissingCertificateUnlessItIsOptional) {
  TlsMaterial bare = client_material();
  bare.cert_pem.clear();
  bare.key_pem.clear();
  TlsPair strict(server_material(), bare);
  strict.run();
  EXPECT_TRUE(contains(strict.server.failure(), "peer did not return a certificate"))
      << strict.server.failure();

  TlsMaterial lenient = server_material();
  lenient.require_peer_cert = false;
  TlsPair pair(lenient, bare);
  pair.run();
  EXPECT_TRUE(pair.server.handshake_done());
  EXPECT_FALSE(pair.server.peer_certificate().present);
}

TEST(TlsSession, RefusesCertificatesOutsideTheirTime) {
  EXPECT_TRUE(
      contains(verdict(test::make_certificate({.not_after = "20250101000000Z"})), "expired"));
  EXPECT_TRUE(contains(verdict(test::make_certificate({.not_before = "20400101000000Z"})),
                       "not yet valid"));
}

// Security goal B10, CVE-2026-84790.
TEST(TlsSession, RefusesNamesThatTwoReadersWouldReadDifferently) {
  using namespace std::string_literals;
  struct Row {
    const char* why;
    std::vector<std::pair<int, std::string>> subject;
  };
  const Row rows[] = {
      {"a NUL in the common name", {{NID_commonName, "admin\0.evil"s}}},
      {"a line end in the common name", {{NID_commonName, "admin\nroot"}}},
      {"an escape in the organisation", {{NID_organizationName, "\x1b[2J"}, {NID_commonName, "a"}}},
      {"a NUL in the first of two names", {{NID_commonName, "a\0b"s}, {NID_commonName, "c"}}},
      {"no common name", {{NID_organizationName, "x"}}},
      {"an empty subject", {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    EXPECT_TRUE(contains(verdict(test::make_certificate({.subject = row.subject})), "is refused"));
  }
}

TEST(TlsSession, TakesTheLastOfSeveralCommonNames) {
  TlsMaterial client_side = client_material();
  client_side.cert_pem = test::make_certificate(
      {.subject = {{NID_commonName, "first"}, {NID_commonName, "zw\xc3\xb6lf"}}});
  TlsPair pair(server_material(), client_side);
  pair.run();
  ASSERT_TRUE(pair.server.handshake_done()) << pair.server.failure();
  EXPECT_EQ(pair.server.peer_certificate().common_name, "zw\xc3\xb6lf");
  EXPECT_EQ(pair.server.peer_certificate().serial_decimal, "77");
}

TEST(TlsSession, AsksForTheRoleWhenRemoteCertTlsIsSet) {
  TlsMaterial material = server_material();
  material.remote_cert_tls = true;
  const auto judge = [&](std::vector<std::pair<int, std::string>> extensions) {
    return verdict(test::make_certificate({.extensions = std::move(extensions)}),
                   test::kClientKeyPem, material);
  };
  EXPECT_EQ(judge({{NID_key_usage, "digitalSignature"}, {NID_ext_key_usage, "clientAuth"}}), "");
  EXPECT_TRUE(contains(judge({{NID_key_usage, "digitalSignature"}}), "remote-cert-tls client"));
  EXPECT_TRUE(contains(judge({{NID_ext_key_usage, "clientAuth"}}), "remote-cert-tls client"));
  EXPECT_NE(judge({{NID_key_usage, "digitalSignature"}, {NID_ext_key_usage, "serverAuth"}}), "");
  // Without the option a certificate without any usage is good enough.
  EXPECT_EQ(verdict(test::make_certificate({.extensions = {}})), "");
}

TEST(TlsSession, RefusesAClientCertificateInTheServersPlace) {
  TlsMaterial impostor = server_material();
  impostor.cert_pem = test::kOtherClientCertPem;
  impostor.key_pem = test::kOtherClientKeyPem;
  TlsPair pair(impostor, client_material());
  pair.run();
  EXPECT_TRUE(pair.client.failed());
}

TEST(TlsSession, SpeaksTls12WithClientsThatKnowNoOther) {
  TlsContext server_context = test::make_context(Side::Server, server_material());
  TlsContext client_context = test::make_context(Side::Client, client_material());
  SSL_CTX_set_max_proto_version(client_context.native(), TLS1_2_VERSION);
  TlsSession server(server_context, kTestDay);
  TlsSession client(client_context, kTestDay);
  shuttle(client, server);
  ASSERT_TRUE(server.handshake_done()) << server.failure();
  EXPECT_EQ(server.description(), "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384");
  std::vector<std::uint8_t> a(256), b(256);
  ASSERT_TRUE(server.export_keying_material("EXPORTER-OpenVPN-datakeys", a));
  ASSERT_TRUE(client.export_keying_material("EXPORTER-OpenVPN-datakeys", b));
  EXPECT_EQ(a, b);
}

// Security goal B05.
TEST(TlsSession, SpeaksNothingOlderThanTls12) {
  TlsMaterial material = server_material();
  material.version_min = "1.0";
  TlsContext server_context = test::make_context(Side::Server, material);
  TlsContext client_context = test::make_context(Side::Client, client_material());
  SSL_CTX_set_security_level(client_context.native(), 0);
  SSL_CTX_set_min_proto_version(client_context.native(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(client_context.native(), TLS1_1_VERSION);
  TlsSession server(server_context, kTestDay);
  TlsSession client(client_context, kTestDay);
  shuttle(client, server);
  EXPECT_TRUE(server.failed());
}

TEST(TlsSession, IssuesNoTicketsAndResumesNothing) {
  TlsPair pair;
  pair.run();
  std::vector<std::uint8_t> record(TlsSession::kRecordSizeMax);
  EXPECT_EQ(pair.client.read(record), std::nullopt);
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(pair.client.native())), 0);
}

// Security goal A13.
TEST(TlsSession, RefusesFirstMessagesThatAreNoClientHello) {
  const char* cases[] = {
      "170303000501020304",  // Application data.
      "160301000101"
      "1603010003000200",             // A handshake header cut over two records.
      "1603010200010100000303",       // A ClientHello of 64 KiB.
      "160301020002000100",           // A ServerHello.
      "474554202f20485454502f312e31"  // HTTP.
  };
  const TlsContext context = test::make_context(Side::Server, server_material());
  for (const char* hex : cases) {
    TlsSession server(context, kTestDay);
    for (const std::uint8_t byte : test::from_hex(hex)) {
      server.feed(Bytes(&byte, 1));
    }
    EXPECT_TRUE(server.failed()) << hex;
  }
}

TEST(TlsSession, GivesUpOnAHandshakeThatNeverEnds) {
  TlsPair pair;
  std::vector<std::uint8_t> hello(4096);
  hello.resize(pair.client.take_output(hello));
  pair.server.feed(hello);
  ASSERT_FALSE(pair.server.failed());
  // Change-cipher-spec records are skipped in TLS 1.3, one after the other.
  const auto filler = test::from_hex("140303000101");
  std::size_t fed = hello.size();
  while (!pair.server.failed() && fed < 2 * TlsSession::kHandshakeInputMax) {
    pair.server.feed(filler);
    fed += filler.size();
  }
  EXPECT_TRUE(pair.server.failed());
  EXPECT_LE(fed, TlsSession::kHandshakeInputMax + filler.size());
}

TEST(TlsSession, NoticesACorruptRecord) {
  TlsPair pair;
  pair.run();
  pair.client.write(bytes_from("hello"));
  std::vector<std::uint8_t> stream(4096);
  stream.resize(pair.client.take_output(stream));
  stream.back() ^= 1;
  pair.server.feed(stream);
  std::vector<std::uint8_t> record(TlsSession::kRecordSizeMax);
  EXPECT_EQ(pair.server.read(record), std::nullopt);
  EXPECT_TRUE(pair.server.failed());
  EXPECT_GT(pair.server.output_size(), 0u) << "the alert";
}

}  // namespace
}  // namespace ringway
