#include "control/pki/certificate_authority.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <set>

#include "control/channel/certificates.h"
#include "control/pki/pki_keys.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

constexpr UnixTime kNow{1'796'000'000};

struct Made {
  explicit Made(KeyKind kind = KeyKind::P256) : key(make_key(kind)) {
    authority.key = make_key(kind);
    authority.certificate =
        make_authority(authority.key.get(), "Test CA", validity_of(kNow, 3650), random);
  }
  Result<openssl::CertificatePtr> sign(CertificateTerms terms) {
    terms.validity = validity_of(kNow, 10);
    return sign_certificate(authority, key.get(), terms, random);
  }
  test::SeededRandom random{3};
  openssl::KeyPtr key;
  Authority authority;
};

bool is_valid(const Authority& authority, X509* leaf, int purpose, UnixTime now = kNow) {
  const openssl::StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), authority.certificate.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store.get(), leaf, nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(parameters, now.seconds);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  const bool verified = X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  return verified;
}

TEST(CertificateAuthority, SignsWhatTheOtherSideAsksFor) {
  for (const KeyKind kind : {KeyKind::P256, KeyKind::Ed25519, KeyKind::Rsa}) {
    Made made(kind);
    const auto server =
        made.sign({.common_name = "vpn.example.com",
                   .role = Side::Server,
                   .alternative_names = {"vpn.example.com", "192.0.2.1", "2001:db8::1"}});
    const auto client = made.sign({.common_name = "alice", .role = Side::Client});
    ASSERT_TRUE(server.has_value() && client.has_value());
    EXPECT_TRUE(has_tls_role(server->get(), Side::Server));
    EXPECT_FALSE(has_tls_role(server->get(), Side::Client));
    EXPECT_TRUE(has_tls_role(client->get(), Side::Client));
    EXPECT_FALSE(has_tls_role(client->get(), Side::Server));
    EXPECT_TRUE(is_valid(made.authority, server->get(), X509_PURPOSE_SSL_SERVER));
    EXPECT_TRUE(is_valid(made.authority, client->get(), X509_PURPOSE_SSL_CLIENT));
    EXPECT_FALSE(is_valid(made.authority, client->get(), X509_PURPOSE_SSL_SERVER));
    EXPECT_EQ(X509_check_host(server->get(), "vpn.example.com", 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_ip_asc(server->get(), "2001:db8::1", 0), 1);
    EXPECT_EQ(subject_of(client->get()), "/CN=alice");
  }
}

TEST(CertificateAuthority, DatesThemAnHourEarlyAndEndsThemInTime) {
  Made made;
  const auto client = made.sign({.common_name = "alice"});
  ASSERT_TRUE(client.has_value());
  EXPECT_EQ(expires_at(client->get()).seconds, kNow.seconds + 10 * 86'400);
  EXPECT_TRUE(
      is_valid(made.authority, client->get(), X509_PURPOSE_SSL_CLIENT, {kNow.seconds - 3'000}));
  EXPECT_FALSE(is_valid(made.authority, client->get(), X509_PURPOSE_SSL_CLIENT,
                        {kNow.seconds + 11 * 86'400}));
}

TEST(CertificateAuthority, GivesLongSerialNumbersThatNeverRepeat) {
  Made made;
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) {
    const auto client = made.sign({.common_name = "alice"});
    ASSERT_TRUE(client.has_value());
    const std::string serial = serial_of(client->get());
    EXPECT_EQ(serial.size(), 32u);
    EXPECT_TRUE(serials.insert(serial).second);
  }
}

TEST(CertificateAuthority, RefusesAnAlternativeNameThatWouldBeMoreThanOne) {
  Made made;
  for (const char* name : {"", "a,DNS:b", "a b", "x@example.org", "-a", "a\n"}) {
    EXPECT_FALSE(made.sign({.common_name = "a", .alternative_names = {name}})) << name;
  }
}

TEST(CertificateAuthority, ProlongsACertificateForTheSameKey) {
  Made made;
  const auto first =
      made.sign({.common_name = "srv", .role = Side::Server, .alternative_names = {"srv"}});
  ASSERT_TRUE(first.has_value());
  const auto second =
      prolong_certificate(made.authority, first->get(), validity_of(kNow, 400), made.random);
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(serial_of(first->get()), serial_of(second->get()));
  EXPECT_EQ(X509_check_private_key(second->get(), made.key.get()), 1);
  EXPECT_EQ(X509_check_host(second->get(), "srv", 0, 0, nullptr), 1);
  EXPECT_TRUE(is_valid(made.authority, second->get(), X509_PURPOSE_SSL_SERVER,
                       {kNow.seconds + 300 * 86'400}));
}

TEST(CertificateAuthority, ListsTheRevokedAndNobodyElse) {
  Made made(KeyKind::Ed25519);
  const std::vector<IndexEntry> entries = {
      {.state = IndexEntry::State::Revoked, .revoked_at = kNow, .serial = "4A01"},
      {.state = IndexEntry::State::Valid, .serial = "4A02"},
      {.state = IndexEntry::State::Revoked, .revoked_at = kNow, .serial = "4A03"}};
  const openssl::CrlPtr list = sign_revocations(made.authority, entries, validity_of(kNow, 30));
  std::vector<openssl::CertificatePtr> authorities;
  authorities.push_back(std::move(made.authority.certificate));

  const auto parsed = parse_crls(revocation_text(list.get()), "here", authorities, kNow);

  ASSERT_TRUE(parsed.has_value());
  std::set<std::string> serials;
  for (const RevokedCertificate& revoked : list_revoked(*parsed)) {
    serials.insert(revoked.serial_decimal);
  }
  EXPECT_EQ(serials, (std::set<std::string>{"18945", "18947"}));
  EXPECT_FALSE(
      parse_crls(revocation_text(list.get()), "here", authorities, {kNow.seconds + 31 * 86'400}));
}

}  // namespace
}  // namespace ringway
