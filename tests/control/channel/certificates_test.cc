#include "control/channel/certificates.h"

#include <gtest/gtest.h>

#include "tests/support/certificate_maker.h"
#include "tests/support/channel_pair_setup.h"

namespace ringway {
namespace {

using test::kTestDay;

std::vector<openssl::CertificatePtr> parsed(std::string_view pem) {
  auto certificates = parse_certificates(pem, "here");
  EXPECT_TRUE(certificates.has_value());
  return std::move(*certificates);
}

TEST(Certificates, AreReadInTheOrderOfTheText) {
  const auto two =
      parsed("words\n" + std::string(test::kServerCertPem) + std::string(test::kCaPem));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(describe_certificate(two[0].get()).common_name, "server");
  EXPECT_EQ(describe_certificate(two[1].get()).common_name, "Ringway Test CA");
}

TEST(Certificates, CutAnywhereAreAnError) {
  const std::string_view pem = test::kClientCertPem;
  for (std::size_t size = 0; size + 8 < pem.size(); size += 7) {
    const auto cut = parse_certificates(pem.substr(0, size), "here");
    ASSERT_FALSE(cut.has_value()) << size;
    EXPECT_EQ(cut.error().where, "here");
  }
}

TEST(Certificates, HaveOneReadingOfTheirSubject) {
  using namespace std::string_literals;
  const auto fault = [](std::vector<std::pair<int, std::string>> subject) {
    return subject_fault(parsed(test::make_certificate({.subject = std::move(subject)}))[0].get());
  };
  EXPECT_EQ(fault({{NID_commonName, "alice"}}), "");
  EXPECT_EQ(fault({{NID_commonName, std::string(64, 'a')}}), "");
  EXPECT_NE(fault({{NID_commonName, "a\0b"s}}), "");
  EXPECT_NE(fault({{NID_commonName, "a\x7f"}}), "");
  EXPECT_NE(fault({{NID_organizationName, "a\tb"}, {NID_commonName, "a"}}), "");
  EXPECT_NE(fault({{NID_organizationName, "a"}}), "");
}

TEST(Certificates, KnowTheRoleTheyWereMadeFor) {
  const auto client = parsed(test::kClientCertPem);
  const auto server = parsed(test::kServerCertPem);
  EXPECT_TRUE(has_tls_role(client[0].get(), Side::Client));
  EXPECT_FALSE(has_tls_role(client[0].get(), Side::Server));
  EXPECT_TRUE(has_tls_role(server[0].get(), Side::Server));
  EXPECT_FALSE(has_tls_role(server[0].get(), Side::Client));
}

TEST(Certificates, EndWhenTheySay) {
  const auto certificate = parsed(test::make_certificate({.not_after = "20260101000000Z"}));
  EXPECT_EQ(expires_at(certificate[0].get()), kTestDay);
}

TEST(Certificates, AreRevokedByListsThatAreWholeSignedAndInForce) {
  const auto ca = parsed(test::kCaPem);
  const auto faulty = [&](std::string_view pem, UnixTime now = kTestDay) {
    return !parse_crls(pem, "here", ca, now).has_value();
  };
  EXPECT_FALSE(faulty(test::kCrlPem));
  EXPECT_FALSE(faulty(std::string(test::kCrlPem) + std::string(test::kEmptyCrlPem)));
  EXPECT_TRUE(faulty(test::kExpiredCrlPem));
  EXPECT_TRUE(faulty(std::string(test::kCrlPem) + std::string(test::kExpiredCrlPem)));
  EXPECT_TRUE(faulty(""));
  EXPECT_TRUE(faulty(test::kCaPem));
  EXPECT_TRUE(faulty(std::string(test::kCrlPem) + "-----BEGIN X509 CRL-----\nMIH"));
  EXPECT_TRUE(faulty(test::kCrlPem, UnixTime{0}));
}

TEST(PrivateKeys, AreNotGuessedAt) {
  EXPECT_TRUE(parse_private_key(test::kClientKeyPem, "here").has_value());
  EXPECT_FALSE(parse_private_key(test::kClientCertPem, "here").has_value());
  EXPECT_FALSE(parse_private_key("", "here").has_value());
  const auto encrypted = parse_private_key(test::make_encrypted_key(), "here");
  ASSERT_FALSE(encrypted.has_value());
  EXPECT_NE(encrypted.error().what.find("encrypted"), std::string::npos);
  EXPECT_TRUE(parse_private_key(test::make_encrypted_key(), "here", "secret").has_value());
  const auto wrong = parse_private_key(test::make_encrypted_key(), "here", "sesame");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().what.find("does not open"), std::string::npos);
}

TEST(PrivateKeys, AreOpenedByTheirPassphrase) {
  EXPECT_TRUE(parse_private_key(test::make_encrypted_key(), "here", "secret").has_value());
  const auto wrong = parse_private_key(test::make_encrypted_key(), "here", "Secret");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().what.find("does not open"), std::string::npos);
}

TEST(Certificates, BearTheNameThatVerifyX509NameAsksFor) {
  const auto certificate = parsed(test::kServerCertPem);
  const X509* server = certificate[0].get();
  EXPECT_TRUE(has_name(server, "server", PeerNameMatch::CommonName));
  EXPECT_FALSE(has_name(server, "serv", PeerNameMatch::CommonName));
  EXPECT_FALSE(has_name(server, "server2", PeerNameMatch::CommonName));
  EXPECT_TRUE(has_name(server, "serv", PeerNameMatch::CommonNamePrefix));
  EXPECT_FALSE(has_name(server, "erver", PeerNameMatch::CommonNamePrefix));
  EXPECT_TRUE(has_name(server, subject_text(server), PeerNameMatch::Subject));
  EXPECT_FALSE(has_name(server, "server", PeerNameMatch::Subject));
}

}  // namespace
}  // namespace ringway
