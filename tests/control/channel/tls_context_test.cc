#include "control/channel/tls_context.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/support/certificate_maker.h"
#include "tests/support/channel_pair_setup.h"

namespace ringway {
namespace {

using test::client_material;
using test::kTestDay;
using test::server_material;

/// The error's whole text; empty when there is none.
std::string fault_of(const TlsMaterial& material, Side side = Side::Server,
                     UnixTime now = kTestDay) {
  const auto context = TlsContext::make(side, material, now);
  return context.has_value() ? std::string() : context.error().to_string();
}

struct Row {
  const char* why;
  std::function<void(TlsMaterial&)> spoil;
  /// What the error must name.
  std::vector<std::string> names;
};

TEST(TlsContext, SaysWhichFileIsWrongAndWhatToDo) {
  const Row rows[] = {
      {"no CA", [](TlsMaterial& m) { m.ca_pem.clear(); }, {"ca ca.crt", "BEGIN CERTIFICATE"}},
      {"DER instead of PEM",
       [](TlsMaterial& m) { m.cert_pem = "\x30\x82\x01"; },
       {"cert server.crt", "PEM"}},
      {"a certificate cut in half",
       [](TlsMaterial& m) { m.cert_pem.resize(m.cert_pem.size() / 2); },
       {"cert server.crt"}},
      {"damaged base64", [](TlsMaterial& m) { m.ca_pem[100] = '!'; }, {"ca ca.crt"}},
      {"no key", [](TlsMaterial& m) { m.key_pem = "hello"; }, {"key server.key"}},
      {"an encrypted key",
       [](TlsMaterial& m) { m.key_pem = test::make_encrypted_key(); },
       {"key server.key", "encrypted", "openssl pkey"}},
      {"somebody else's key",
       [](TlsMaterial& m) { m.key_pem = test::kClientKeyPem; },
       {"key server.key", "cert server.crt", "does not belong"}},
      {"an expired CRL",
       [](TlsMaterial& m) { m.crl_pem = test::kExpiredCrlPem; },
       {"crl-verify crl.pem", "expired", "gen-crl"}},
      {"a CRL that is none", [](TlsMaterial& m) { m.crl_pem = "x"; }, {"crl-verify crl.pem"}},
      {"half a CRL",
       [](TlsMaterial& m) { m.crl_pem = std::string(test::kCrlPem.substr(0, 200)); },
       {"crl-verify crl.pem"}},
      {"no such version", [](TlsMaterial& m) { m.version_min = "2.0"; }, {"2.0", "1.2 or 1.3"}},
      {"no such profile",
       [](TlsMaterial& m) { m.cert_profile = "strict"; },
       {"strict", "preferred"}},
      {"no such group", [](TlsMaterial& m) { m.groups = "X25519:nonsense"; }, {"nonsense"}},
      {"no such cipher", [](TlsMaterial& m) { m.cipher_list = "HIGH:NOPE"; }, {"NOPE"}},
      {"no such suite", [](TlsMaterial& m) { m.ciphersuites = "TLS-NOPE"; }, {"TLS-NOPE"}},
      {"no DH parameters", [](TlsMaterial& m) { m.dh_pem = "x"; }, {"dh", "dh none"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    TlsMaterial material = server_material();
    row.spoil(material);
    const std::string fault = fault_of(material);
    EXPECT_NE(fault, "");
    for (const std::string& name : row.names)
      EXPECT_NE(fault.find(name), std::string::npos) << fault;
  }
  EXPECT_EQ(fault_of(server_material()), "");
}

TEST(TlsContext, TakesWhatOperatorsConfigure) {
  TlsMaterial material = server_material();
  material.cert_profile = "preferred";
  material.version_min = "1.3";
  material.groups = "X25519:secp256r1:P-384";
  material.cipher_list = "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384";
  material.ciphersuites = "TLS-CHACHA20-POLY1305-SHA256";
  material.crl_pem = test::kCrlPem;
  material.cert_pem = "Certificate:\n    Data: as `openssl x509 -text` writes it\n" +
                      std::string(test::kServerCertPem) + std::string(test::kCaPem);
  EXPECT_EQ(fault_of(material), "");
}

TEST(TlsContext, NeedsACertificateOnAServerOnly) {
  TlsMaterial material = client_material();
  material.cert_pem.clear();
  material.key_pem.clear();
  EXPECT_NE(fault_of(material, Side::Server), "");
  EXPECT_EQ(fault_of(material, Side::Client), "");
}

TEST(TlsContext, JudgesTheRevocationListAtTheTimeItIsGiven) {
  TlsMaterial material = server_material();
  material.crl_pem = test::kExpiredCrlPem;
  constexpr UnixTime kWhenItWasFresh{1'578'000'000};
  constexpr UnixTime kBeforeItWasMade{1'500'000'000};
  EXPECT_EQ(fault_of(material, Side::Server, kWhenItWasFresh), "");
  EXPECT_NE(fault_of(material, Side::Server, kBeforeItWasMade), "");
}

TEST(TlsContext, KnowsWhenItsCertificateEnds) {
  constexpr UnixTime kYear2120{4'733'510'400};
  const TlsContext context = test::make_context(Side::Server, server_material());
  EXPECT_EQ(context.own_certificate_expires(), kYear2120);
  TlsMaterial nameless = client_material();
  nameless.cert_pem.clear();
  EXPECT_EQ(test::make_context(Side::Client, nameless).own_certificate_expires(), std::nullopt);
}

// Security goal B11.
TEST(TlsContext, KeepsTheOldRevocationListWhenTheNewOneIsBad) {
  TlsMaterial material = server_material();
  material.crl_pem = test::kCrlPem;
  TlsContext context = test::make_context(Side::Server, material);
  for (const std::string_view bad : {std::string_view("garbage"), test::kExpiredCrlPem,
                                     test::kCrlPem.substr(0, test::kCrlPem.size() / 2)}) {
    const auto replaced = context.replace_crl(std::string(bad), kTestDay);
    ASSERT_FALSE(replaced.has_value());
    EXPECT_NE(replaced.error().to_string().find("crl-verify crl.pem"), std::string::npos);
  }
  EXPECT_TRUE(context.replace_crl(std::string(test::kEmptyCrlPem), kTestDay).has_value());
}

TEST(TlsContext, RefusesARevocationListThatItsCaDidNotSign) {
  std::string forged(test::kCrlPem);
  // One bit of the signature, at the end of the base64 text.
  const std::size_t at = forged.rfind("\n-----END") - 8;
  forged[at] = forged[at] == 'A' ? 'B' : 'A';
  TlsMaterial material = server_material();
  material.crl_pem = forged;
  EXPECT_NE(fault_of(material), "");
}

}  // namespace
}  // namespace ringway
