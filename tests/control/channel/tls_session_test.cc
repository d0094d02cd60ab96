#include "control/channel/tls_session.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>

#include "tests/control/channel/tls_pair.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::client_material;
using test::kTestDay;
using test::server_material;
using test::shuttle;
using test::TlsPair;

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
