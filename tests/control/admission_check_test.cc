#include "control/admission_check.h"

#include <gtest/gtest.h>

#include <utility>

namespace ringway {
namespace {

ServerConfig rules(VerifyClientCert verify) {
  ServerConfig config;
  config.tls.verify_client_cert = verify;
  return config;
}

AuthRequested request_of(const char* common_name) {
  AuthRequested request;
  request.certificate = {.common_name = common_name, .serial_decimal = "17", .present = true};
  request.certificate.sha256[0] = 1;
  request.username = "user";
  return request;
}

TEST(AdmissionCheck, KnowsAClientByItsCertificate) {
  const auto identity = check_identity(rules(VerifyClientCert::Require), request_of("client1"));

  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->common_name, "client1");
  EXPECT_EQ(identity->certificate.serial_decimal, "17");
  EXPECT_EQ(identity->username, "user");
}

TEST(AdmissionCheck, RefusesAClientWithoutACertificate) {
  EXPECT_FALSE(check_identity(rules(VerifyClientCert::Require), AuthRequested{}));
}

TEST(AdmissionCheck, RefusesACertificateWithoutAName) {
  EXPECT_FALSE(check_identity(rules(VerifyClientCert::Require), request_of("")));
  EXPECT_FALSE(check_identity(rules(VerifyClientCert::Optional), request_of("")));
}

TEST(AdmissionCheck, AsksForNoCertificateWhereNoneIsDemanded) {
  EXPECT_TRUE(check_identity(rules(VerifyClientCert::Optional), AuthRequested{}));
  const auto identity = check_identity(rules(VerifyClientCert::None), AuthRequested{});

  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->common_name, "");
}

TEST(AdmissionCheck, RefusesARenegotiationBySomebodyElse) {
  const ClientIdentity first =
      *check_identity(rules(VerifyClientCert::Require), request_of("client1"));
  EXPECT_TRUE(check_same_identity(first, first));

  ClientIdentity other_name = first;
  other_name.common_name = "client2";
  EXPECT_FALSE(check_same_identity(first, other_name));

  ClientIdentity other_user = first;
  other_user.username = "root";
  EXPECT_FALSE(check_same_identity(first, other_user));

  ClientIdentity other_certificate = first;
  other_certificate.certificate_sha256[31] ^= 1;
  EXPECT_FALSE(check_same_identity(first, other_certificate));
}

TEST(AdmissionCheck, PicksTheServersFirstCipherThatTheClientSpeaks) {
  ServerConfig config;
  config.data_ciphers = {DataCipher::ChaCha20Poly1305, DataCipher::Aes128Gcm};
  AuthRequested request = request_of("client1");
  request.peer_info = PeerInfo::parse("IV_PROTO=990\nIV_CIPHERS=AES-256-GCM:AES-128-GCM\n");

  const auto admission = choose_admission(config, request);

  ASSERT_TRUE(admission);
  EXPECT_EQ(admission->cipher, DataCipher::Aes128Gcm);
  EXPECT_TRUE(admission->tls_key_export);
}

// B04
TEST(AdmissionCheck, TakesKeysFromTlsWheneverTheClientOffersThat) {
  AuthRequested request = request_of("client1");
  for (const auto& [protocol, is_offered] :
       {std::pair("990", true), std::pair("8", true), std::pair("982", false),
        std::pair("2", false), std::pair("", false), std::pair("x", false)}) {
    request.peer_info = PeerInfo::parse("IV_NCP=2\nIV_PROTO=" + std::string(protocol) + "\n");

    const auto admission = choose_admission({}, request);

    ASSERT_TRUE(admission) << protocol;
    EXPECT_EQ(admission->tls_key_export, is_offered) << protocol;
  }
}

// B04
TEST(AdmissionCheck, RefusesARenegotiationThatOffersLess) {
  const PeerInfo with = PeerInfo::parse("IV_PROTO=990\n");
  const PeerInfo without = PeerInfo::parse("IV_PROTO=982\n");

  EXPECT_TRUE(check_same_offer({.tls_key_export = true}, with));
  EXPECT_FALSE(check_same_offer({.tls_key_export = true}, without));
  EXPECT_FALSE(check_same_offer({.tls_key_export = true}, PeerInfo()));
  EXPECT_TRUE(check_same_offer({.tls_key_export = false}, without));
  EXPECT_TRUE(check_same_offer({.tls_key_export = false}, with));
}

// C07
TEST(AdmissionCheck, EndsTheCompressionOfAClientThatCanDoWithout) {
  AuthRequested request = request_of("client1");
  request.peer_info = PeerInfo::parse("IV_PROTO=2\nIV_NCP=2\nIV_COMP_STUBv2=1\n");
  request.options = "V4,dev-type tun,comp-lzo,cipher AES-256-GCM";
  const auto admission = choose_admission({}, request);
  ASSERT_TRUE(admission);
  EXPECT_TRUE(admission->ends_compression);

  request.options = "V4,dev-type tun,cipher AES-256-GCM";
  const auto without = choose_admission({}, request);
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->ends_compression);
}

// C07
TEST(AdmissionCheck, RefusesAClientWhoseCompressionItCannotEnd) {
  AuthRequested request = request_of("client1");
  request.peer_info = PeerInfo::parse("IV_PROTO=2\nIV_NCP=2\n");
  request.options = "V4,dev-type tun,comp-lzo,cipher AES-256-GCM";

  const auto admission = choose_admission({}, request);

  ASSERT_FALSE(admission);
  EXPECT_EQ(admission.error().for_client, "Delete comp-lzo and compress from the profile");
}

TEST(AdmissionCheck, UsesTheFallbackForAClientThatTellsNoCipher) {
  ServerConfig config;
  config.data_cipher_fallback = DataCipher::Aes128Gcm;
  AuthRequested request = request_of("client1");
  request.peer_info = PeerInfo::parse("IV_PROTO=2\n");
  request.options = "V0 UNDEF";

  const auto admission = choose_admission(config, request);

  ASSERT_TRUE(admission);
  EXPECT_EQ(admission->cipher, DataCipher::Aes128Gcm);
}

TEST(AdmissionCheck, AsksForKeysByExportWhereItIsTold) {
  ServerConfig config;
  config.force_tls_key_export = true;
  AuthRequested request = request_of("client1");
  request.peer_info = PeerInfo::parse("IV_PROTO=6\nIV_NCP=2\n");

  const auto refused = choose_admission(config, request);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().for_client, "Update OpenVPN: its data keys cannot come from TLS");
  request.peer_info = PeerInfo::parse("IV_PROTO=990\nIV_NCP=2\n");
  EXPECT_TRUE(choose_admission(config, request));
}

TEST(AdmissionCheck, SaysThatNoCipherIsShared) {
  ServerConfig config;
  config.data_ciphers = {DataCipher::ChaCha20Poly1305};
  AuthRequested request = request_of("client1");
  request.peer_info = PeerInfo::parse("IV_PROTO=2\nIV_NCP=2\n");

  const auto admission = choose_admission(config, request);

  ASSERT_FALSE(admission);
  EXPECT_EQ(admission.error().for_client,
            "Data channel cipher negotiation failed (no shared cipher)");
  EXPECT_FALSE(admission.error().is_temporary);
}

}  // namespace
}  // namespace ringway
