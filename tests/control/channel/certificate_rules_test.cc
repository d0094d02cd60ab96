#include "control/channel/certificate_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "control/channel/certificates.h"
#include "tests/support/certificate_maker.h"

namespace ringway {
namespace {

using Extensions = std::vector<std::pair<int, std::string>>;

openssl::CertificatePtr certificate_with(const Extensions& extensions) {
  auto parsed = parse_certificates(test::make_certificate({.extensions = extensions}), "here");
  EXPECT_TRUE(parsed.has_value());
  return std::move(parsed->front());
}

bool breaks(const Extensions& extensions, const PeerRules& rules) {
  return !rule_fault(certificate_with(extensions).get(), nullptr, rules).empty();
}

TEST(CertificateRules, WantAllBitsOfOneOfTheUsages) {
  const Extensions both = {{NID_key_usage, "digitalSignature,keyAgreement"}};
  const Extensions one = {{NID_key_usage, "digitalSignature"}};
  EXPECT_FALSE(breaks(one, {.needs_key_usage = true}));
  EXPECT_TRUE(breaks({}, {.needs_key_usage = true})) << "an absent usage is none";
  EXPECT_FALSE(breaks(both, {.needs_key_usage = true, .key_usages = {0x88}}));
  EXPECT_TRUE(breaks(one, {.needs_key_usage = true, .key_usages = {0x88}}));
  EXPECT_FALSE(breaks(one, {.needs_key_usage = true, .key_usages = {0x88, 0x80}}));
  EXPECT_FALSE(breaks(both, {.needs_key_usage = true, .key_usages = {0x80}}));
}

TEST(CertificateRules, KnowAnExtendedUsageByEachOfItsNames) {
  const Extensions client = {{NID_ext_key_usage, "clientAuth,1.3.6.1.4.1.99999.7"}};
  for (const char* name : {"clientAuth", "TLS Web Client Authentication", "1.3.6.1.5.5.7.3.2",
                           "1.3.6.1.4.1.99999.7"}) {
    EXPECT_FALSE(breaks(client, {.extended_key_usage = name})) << name;
  }
  EXPECT_TRUE(breaks(client, {.extended_key_usage = "serverAuth"}));
  EXPECT_TRUE(breaks({}, {.extended_key_usage = "clientAuth"}));
}

TEST(CertificateRules, WantASignerWhereOneIsAskedFor) {
  EXPECT_TRUE(breaks({}, {.issuer_digest = std::vector<std::uint8_t>(20)}));
}

TEST(CertificateRules, AreCheckedForNamesThatMeanNothing) {
  EXPECT_TRUE(check_rules({.name_fields = {"CN", "emailAddress", "UID", "serialNumber",
                                           "ext:subjectAltName", "ext:issuerAltName"}}));
  EXPECT_TRUE(check_rules({.extended_key_usage = "clientAuth"}));
  EXPECT_FALSE(check_rules({.extended_key_usage = "clientauth2"}));
  for (const char* field : {"nonsense", "ext:keyUsage", "cn x", ""}) {
    EXPECT_FALSE(check_rules({.name_fields = {field}})) << field;
  }
}

TEST(CertificateRules, FindTheNameInTheFieldAskedFor) {
  const auto parsed = parse_certificates(
      test::make_certificate(
          {.subject = {{NID_organizationalUnitName, "Sales"},
                       {NID_commonName, "first"},
                       {NID_commonName, "carol"}},
           .extensions = {{NID_subject_alt_name, "DNS:carol.example,email:carol@example.org"}},
           .serial = 0x1a2b}),
      "here");
  ASSERT_TRUE(parsed.has_value());
  const X509* certificate = parsed->front().get();
  EXPECT_EQ(peer_name_of(certificate, {}), "carol");
  EXPECT_EQ(peer_name_of(certificate, {"OU"}), "Sales");
  EXPECT_EQ(peer_name_of(certificate, {"serialNumber"}), "0x1A2B");
  EXPECT_EQ(peer_name_of(certificate, {"ext:subjectAltName"}), "carol@example.org");
  EXPECT_EQ(peer_name_of(certificate, {"ext:issuerAltName"}), "");
  EXPECT_EQ(peer_name_of(certificate, {"OU", "CN", "serialNumber"}), "Sales_carol_0x1A2B");
  EXPECT_EQ(peer_name_of(certificate, {"CN", "emailAddress"}), "") << "half a name is none";
}

// Security goal B10: a NUL in an address would end it for one reader and not for another.
TEST(CertificateRules, RefuseControlBytesInWhateverNamesThePeer) {
  const std::string raw = std::string("eve@example.org\0.evil", 21);
  openssl::CertificatePtr certificate = certificate_with({});
  using NamesPtr = std::unique_ptr<GENERAL_NAMES, openssl::Deleter<GENERAL_NAMES_free>>;
  const NamesPtr names(sk_GENERAL_NAME_new_null());
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, raw.data(), static_cast<int>(raw.size()));
  GENERAL_NAME_set0_value(name, GEN_EMAIL, text);
  sk_GENERAL_NAME_push(names.get(), name);
  ASSERT_EQ(X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, names.get(), 0,
                              X509V3_ADD_REPLACE),
            1);
  EXPECT_EQ(subject_fault(certificate.get()), "");
  EXPECT_NE(subject_fault(certificate.get(), {"ext:subjectAltName"}), "");
}

}  // namespace
}  // namespace ringway
