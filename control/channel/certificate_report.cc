#include "control/channel/certificate_report.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "control/channel/certificate_rules.h"
#include "control/channel/certificates.h"
#include "control/channel/openssl_handles.h"

namespace ringway {
namespace {

UnixTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return UnixTime{};
  return UnixTime{::timegm(&parts)};
}

std::string key_type_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: return "RSA";
    case EVP_PKEY_EC: return "EC";
    case EVP_PKEY_ED25519: return "Ed25519";
    case EVP_PKEY_ED448: return "Ed448";
    default: break;
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  return name == nullptr ? "unknown" : name;
}

CertificateReport report(X509* certificate) {
  CertificateReport report{.subject = subject_text(certificate),
                           .common_name = peer_name_of(certificate, {}),
                           .not_before = time_of(X509_get0_notBefore(certificate)),
                           .not_after = time_of(X509_get0_notAfter(certificate))};
  if (const EVP_PKEY* key = X509_get0_pubkey(certificate); key != nullptr) {
    report.key_type = key_type_of(key);
    report.key_bits = EVP_PKEY_get_bits(key);
    report.security_bits = EVP_PKEY_get_security_bits(key);
  }
  int digest = NID_undef;
  X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr);
  report.has_weak_signature = digest == NID_md5 || digest == NID_sha1 || digest == NID_md5_sha1;
  if (const char* name = OBJ_nid2ln(X509_get_signature_nid(certificate)); name != nullptr) {
    report.signature = name;
  }
  report.is_self_signed = X509_self_signed(certificate, 0) == 1;
  report.may_serve = has_tls_role(certificate, Side::Server);
  report.may_be_client = has_tls_role(certificate, Side::Client);
  return report;
}

}  // namespace

Result<std::vector<CertificateReport>> report_certificates(std::string_view pem,
                                                           const std::string& where) {
  const auto certificates = parse_certificates(pem, where);
  if (!certificates) return std::unexpected(certificates.error());
  std::vector<CertificateReport> reports;
  for (const openssl::CertificatePtr& certificate : *certificates) {
    reports.push_back(report(certificate.get()));
  }
  return reports;
}

Result<bool> key_fits(std::string_view certificate_pem, const std::string& certificate_where,
                      std::string_view key_pem, const std::string& key_where,
                      std::string_view passphrase) {
  const auto certificates = parse_certificates(certificate_pem, certificate_where);
  if (!certificates) return std::unexpected(certificates.error());
  const auto key = parse_private_key(key_pem, key_where, passphrase);
  if (!key) return std::unexpected(key.error());
  const bool fits = X509_check_private_key(certificates->front().get(), key->get()) == 1;
  ERR_clear_error();
  return fits;
}

Result<std::vector<RevocationReport>> report_revocations(std::string_view pem,
                                                         const std::string& where) {
  ERR_clear_error();
  std::vector<RevocationReport> reports;
  const openssl::BioPtr bio = openssl::open_text(pem);
  while (X509_CRL* raw = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) {
    const openssl::CrlPtr crl(raw);
    reports.push_back({.issued = time_of(X509_CRL_get0_lastUpdate(raw)),
                       .next_update = time_of(X509_CRL_get0_nextUpdate(raw))});
  }
  ERR_clear_error();
  if (!reports.empty()) return reports;
  return fail("there is no revocation list in it", where,
              "it must be PEM text, from BEGIN X509 CRL to END X509 CRL");
}

}  // namespace ringway
