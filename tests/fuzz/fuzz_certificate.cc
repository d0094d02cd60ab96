// A certificate in DER: its names by every field that can name a peer, and every rule that can be
// asked of it. What passes subject_fault() has a name that is safe to log and to compare.

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "control/channel/certificate_rules.h"
#include "control/channel/certificates.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const unsigned char* at = data;
  const openssl::CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(size)));
  ERR_clear_error();
  if (certificate == nullptr) return 0;
  X509* raw = certificate.get();
  static const std::vector<std::vector<std::string>> kFields = {{},
                                                                {"CN"},
                                                                {"OU", "CN"},
                                                                {"emailAddress"},
                                                                {"serialNumber"},
                                                                {"ext:subjectAltName"},
                                                                {"ext:issuerAltName", "UID"}};
  for (const std::vector<std::string>& fields : kFields) {
    if (!subject_fault(raw, fields).empty()) continue;
    const PeerCertificate described = describe_certificate(raw, fields);
    RW_ASSERT(!described.common_name.empty() && described.common_name.size() <= 64);
    for (const char c : described.common_name) {
      RW_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
    RW_ASSERT(has_name(raw, described.common_name, PeerNameMatch::CommonName, fields));
  }
  PeerRules rules{.needs_key_usage = true,
                  .key_usages = {0x80, 0x88},
                  .extended_key_usage = "clientAuth",
                  .issuer_digest = std::vector<std::uint8_t>(32)};
  RW_ASSERT(!rule_fault(raw, raw, rules).empty());
  rules.issuer_digest.clear();
  rules.fingerprints.emplace_back();
  RW_ASSERT(!rule_fault(raw, nullptr, rules).empty());
  static_cast<void>(has_tls_role(raw, Side::Server));
  static_cast<void>(expires_at(raw));
  return 0;
}
