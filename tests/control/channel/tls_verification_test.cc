#include "control/channel/tls_verification.h"

#include <gtest/gtest.h>

#include "tests/control/channel/tls_pair.h"
#include "tests/support/certificate_maker.h"

namespace ringway {
namespace {

using test::client_material;
using test::kTestDay;
using test::server_material;
using test::shuttle;
using test::TlsPair;

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

TEST(TlsVerification, RefusesTheCertificateOfAnotherCa) {
  const std::string words =
      verdict(std::string(test::kForeignClientCertPem), test::kForeignClientKeyPem);
  EXPECT_TRUE(contains(words, "certificate is refused")) << words;
  EXPECT_TRUE(contains(words, "CN=stranger")) << words;
}

TEST(TlsVerification, RefusesAServerOfAnotherCa) {
  TlsMaterial impostor = server_material();
  impostor.cert_pem = test::kForeignServerCertPem;
  impostor.key_pem = test::kForeignServerKeyPem;
  TlsPair pair(impostor, client_material());
  pair.run();
  EXPECT_TRUE(contains(pair.client.failure(), "certificate is refused")) << pair.client.failure();
  EXPECT_TRUE(pair.server.failed());
}

TEST(TlsVerification, RefusesARevokedCertificateAndTakesTheOthers) {
  TlsMaterial material = server_material();
  material.crl_pem = test::kCrlPem;
  const std::string words =
      verdict(std::string(test::kRevokedClientCertPem), test::kRevokedClientKeyPem, material);
  EXPECT_TRUE(contains(words, "revoked")) << words;
  EXPECT_EQ(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, material), "");
  EXPECT_EQ(verdict(std::string(test::kRevokedClientCertPem), test::kRevokedClientKeyPem), "");
}

TEST(TlsVerification, SeesARevocationListThatWasReplaced) {
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

TEST(TlsVerification, RefusesEverybodyOnceTheRevocationListHasExpired) {
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

TEST(TlsVerification, ToleratesACaWithoutRevocationList) {
  TlsMaterial material = server_material();
  material.ca_pem = std::string(test::kCaPem) + std::string(test::kForeignCaPem);
  material.crl_pem = test::kCrlPem;
  EXPECT_EQ(verdict(std::string(test::kForeignClientCertPem), test::kForeignClientKeyPem, material),
            "");
}

TEST(TlsVerification, RefusesAMissingCertificateUnlessItIsOptional) {
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

TEST(TlsVerification, RefusesCertificatesOutsideTheirTime) {
  EXPECT_TRUE(
      contains(verdict(test::make_certificate({.not_after = "20250101000000Z"})), "expired"));
  EXPECT_TRUE(contains(verdict(test::make_certificate({.not_before = "20400101000000Z"})),
                       "not yet valid"));
}

// Security goal B10, CVE-2026-84790.
TEST(TlsVerification, RefusesNamesThatTwoReadersWouldReadDifferently) {
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

TEST(TlsVerification, TakesTheLastOfSeveralCommonNames) {
  TlsMaterial client_side = client_material();
  client_side.cert_pem = test::make_certificate(
      {.subject = {{NID_commonName, "first"}, {NID_commonName, "zw\xc3\xb6lf"}}});
  TlsPair pair(server_material(), client_side);
  pair.run();
  ASSERT_TRUE(pair.server.handshake_done()) << pair.server.failure();
  EXPECT_EQ(pair.server.peer_certificate().common_name, "zw\xc3\xb6lf");
  EXPECT_EQ(pair.server.peer_certificate().serial_decimal, "77");
}

TEST(TlsVerification, AsksForTheRoleWhenRemoteCertTlsIsSet) {
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

CertificateDigest digest_of(std::string_view pem) {
  BIO* text = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
  CertificateDigest digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  X509_free(certificate);
  BIO_free(text);
  return digest;
}

TEST(TlsVerification, TakesFingerprintsInPlaceOfAuthorities) {
  TlsMaterial material = server_material();
  material.ca_pem.clear();
  material.rules.fingerprints = {digest_of(test::kForeignClientCertPem),
                                 digest_of(test::kOtherClientCertPem)};
  const auto judge = [&](std::string_view certificate, std::string_view key) {
    return verdict(std::string(certificate), key, material);
  };
  EXPECT_EQ(judge(test::kForeignClientCertPem, test::kForeignClientKeyPem), "");
  EXPECT_EQ(judge(test::kOtherClientCertPem, test::kOtherClientKeyPem), "");
  EXPECT_TRUE(
      contains(judge(test::kClientCertPem, test::kClientKeyPem), "it is none of those listed"));
  // The dates of a certificate that is known by itself do not matter, as with OpenVPN.
  const std::string old = test::make_certificate({.not_after = "20250101000000Z"});
  material.rules.fingerprints = {digest_of(old)};
  EXPECT_EQ(judge(old, test::kClientKeyPem), "");
}

TEST(TlsVerification, WantsBothWhereThereAreAuthoritiesBesideFingerprints) {
  TlsMaterial material = server_material();
  material.rules.fingerprints = {digest_of(test::kForeignClientCertPem),
                                 digest_of(test::kClientCertPem)};
  EXPECT_EQ(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, material), "");
  EXPECT_NE(verdict(std::string(test::kForeignClientCertPem), test::kForeignClientKeyPem, material),
            "");
  EXPECT_TRUE(
      contains(verdict(std::string(test::kOtherClientCertPem), test::kOtherClientKeyPem, material),
               "peer-fingerprint"));
}

TEST(TlsVerification, AsksForTheNameAndForWhoSigned) {
  TlsMaterial material = server_material();
  material.peer_name = "client";
  material.peer_name_match = PeerNameMatch::CommonNamePrefix;
  EXPECT_EQ(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, material), "");
  material.peer_name_match = PeerNameMatch::CommonName;
  EXPECT_TRUE(contains(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, material),
                       "verify-x509-name"));

  TlsMaterial hashed = server_material();
  const CertificateDigest authority = digest_of(test::kCaPem);
  hashed.rules.issuer_digest.assign(authority.begin(), authority.end());
  EXPECT_EQ(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, hashed), "");
  hashed.rules.issuer_digest.back() ^= 1;
  EXPECT_TRUE(contains(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, hashed),
                       "verify-hash"));
}

TEST(TlsVerification, NamesTheClientByTheFieldsAskedFor) {
  TlsMaterial server_side = server_material();
  server_side.rules.name_fields = {"OU", "CN"};
  server_side.peer_name = "Sales_carol";
  server_side.peer_name_match = PeerNameMatch::CommonName;
  TlsMaterial client_side = client_material();
  client_side.cert_pem = test::make_certificate(
      {.subject = {{NID_organizationalUnitName, "Sales"}, {NID_commonName, "carol"}}});
  TlsPair pair(server_side, client_side);
  pair.run();
  ASSERT_TRUE(pair.server.handshake_done()) << pair.server.failure();
  EXPECT_EQ(pair.server.peer_certificate().common_name, "Sales_carol");
  EXPECT_TRUE(contains(verdict(std::string(test::kClientCertPem), test::kClientKeyPem, server_side),
                       "no name by x509-username-field"));
}

TEST(TlsVerification, RefusesAClientCertificateInTheServersPlace) {
  TlsMaterial impostor = server_material();
  impostor.cert_pem = test::kOtherClientCertPem;
  impostor.key_pem = test::kOtherClientKeyPem;
  TlsPair pair(impostor, client_material());
  pair.run();
  EXPECT_TRUE(pair.client.failed());
}

}  // namespace
}  // namespace ringway
