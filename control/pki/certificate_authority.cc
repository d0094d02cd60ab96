#include "control/pki/certificate_authority.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include "base/address.h"
#include "base/check.h"

namespace ringway {
namespace {

using SerialPtr = std::unique_ptr<ASN1_INTEGER, openssl::Deleter<ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, openssl::Deleter<ASN1_TIME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, openssl::Deleter<X509_EXTENSION_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, openssl::Deleter<X509_REVOKED_free>>;

/// Ed25519 brings its own digest.
const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
}

/// 127 random bits: nobody can guess the next one, and no two are the same.
void set_random_serial(X509* certificate, RandomSource& random) {
  std::array<std::uint8_t, 16> raw{};
  random.fill(raw);
  raw[0] = static_cast<std::uint8_t>((raw[0] & 0x7f) | 0x40);
  const openssl::BignumPtr number(BN_bin2bn(raw.data(), static_cast<int>(raw.size()), nullptr));
  RW_ASSERT(number != nullptr);
  RW_ASSERT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  RW_ASSERT(extension != nullptr);
  RW_ASSERT(X509_add_ext(certificate, extension.get(), -1) == 1);
}

openssl::CertificatePtr begin_certificate(EVP_PKEY* key, const std::string& common_name,
                                          Validity validity, RandomSource& random) {
  openssl::CertificatePtr certificate(X509_new());
  RW_ASSERT(certificate != nullptr);
  RW_ASSERT(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  set_random_serial(certificate.get(), random);
  RW_ASSERT(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), validity.from.seconds) !=
            nullptr);
  RW_ASSERT(ASN1_TIME_set(X509_getm_notAfter(certificate.get()), validity.until.seconds) !=
            nullptr);
  const auto* name = reinterpret_cast<const unsigned char*>(common_name.data());
  RW_ASSERT(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                       V_ASN1_UTF8STRING, name,
                                       static_cast<int>(common_name.size()), -1, 0) == 1);
  RW_ASSERT(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

/// What `remote-cert-tls` wanted of servers before OpenVPN 2.4: signing, and the way in which a key
/// of this kind agrees on others. Ed25519 only signs (RFC 8410 5).
std::string key_usage_of(const EVP_PKEY* key, Side role) {
  if (role == Side::Client || EVP_PKEY_is_a(key, "ED25519") == 1) {
    return "critical,digitalSignature";
  }
  return EVP_PKEY_is_a(key, "RSA") == 1 ? "critical,digitalSignature,keyEncipherment"
                                        : "critical,digitalSignature,keyAgreement";
}

/// "DNS:vpn.example.com,IP:192.0.2.1".
Result<std::string> alternative_names_text(const CertificateTerms& terms) {
  std::string text;
  for (const std::string& name : terms.alternative_names) {
    const auto address = IpAddress::parse(name);
    if (!address && !is_host_name(name)) {
      return fail("`" + name + "` is neither a host name nor an address", "--san",
                  "write for example vpn.example.com or 192.0.2.1");
    }
    if (!text.empty()) text += ',';
    text += (address ? "IP:" : "DNS:") + name;
  }
  return text;
}

X509_CRL* add_revoked(X509_CRL* list, const IndexEntry& entry) {
  BIGNUM* raw = nullptr;
  RW_ASSERT(BN_hex2bn(&raw, entry.serial.c_str()) > 0);
  const openssl::BignumPtr number(raw);
  const SerialPtr serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  const TimePtr time(ASN1_TIME_set(nullptr, entry.revoked_at.seconds));
  RevokedPtr revoked(X509_REVOKED_new());
  RW_ASSERT(revoked != nullptr);
  RW_ASSERT(X509_REVOKED_set_serialNumber(revoked.get(), serial.get()) == 1);
  RW_ASSERT(X509_REVOKED_set_revocationDate(revoked.get(), time.get()) == 1);
  RW_ASSERT(X509_CRL_add0_revoked(list, revoked.release()) == 1);
  return list;
}

template <typename Object, typename Write>
std::string pem_text(Object* object, Write write) {
  const openssl::BioPtr out(BIO_new(BIO_s_mem()));
  RW_ASSERT(out != nullptr);
  RW_ASSERT(write(out.get(), object) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.front() == '.' || name.front() == '-') return false;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '*') {
      return false;
    }
  }
  return true;
}

Validity validity_of(UnixTime now, std::int64_t days) {
  constexpr std::int64_t kHour = 3600;
  return {.from = {now.seconds - kHour}, .until = {now.seconds + days * 24 * kHour}};
}

openssl::CertificatePtr make_authority(EVP_PKEY* key, const std::string& common_name,
                                       Validity validity, RandomSource& random) {
  openssl::CertificatePtr certificate = begin_certificate(key, common_name, validity, random);
  X509* raw = certificate.get();
  RW_ASSERT(X509_set_issuer_name(raw, X509_get_subject_name(raw)) == 1);
  add_extension(raw, raw, NID_subject_key_identifier, "hash");
  add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign");
  RW_ASSERT(X509_sign(raw, key, digest_for(key)) > 0);
  return certificate;
}

Result<openssl::CertificatePtr> sign_certificate(const Authority& authority, EVP_PKEY* key,
                                                 const CertificateTerms& terms,
                                                 RandomSource& random) {
  const Result<std::string> alternative = alternative_names_text(terms);
  if (!alternative) return std::unexpected(alternative.error());
  openssl::CertificatePtr certificate =
      begin_certificate(key, terms.common_name, terms.validity, random);
  X509* raw = certificate.get();
  X509* issuer = authority.certificate.get();
  RW_ASSERT(X509_set_issuer_name(raw, X509_get_subject_name(issuer)) == 1);
  add_extension(raw, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(raw, issuer, NID_subject_key_identifier, "hash");
  // An authority that others made may lack the identifier that this one would point to.
  if (X509_get0_subject_key_id(issuer) != nullptr) {
    add_extension(raw, issuer, NID_authority_key_identifier, "keyid");
  }
  add_extension(raw, issuer, NID_key_usage, key_usage_of(key, terms.role));
  add_extension(raw, issuer, NID_ext_key_usage,
                terms.role == Side::Server ? "serverAuth" : "clientAuth");
  if (!alternative->empty()) add_extension(raw, issuer, NID_subject_alt_name, *alternative);
  if (X509_sign(raw, authority.key.get(), digest_for(authority.key.get())) <= 0) {
    return fail("the authority's key does not sign: " + openssl::take_errors());
  }
  return certificate;
}

Result<openssl::CertificatePtr> prolong_certificate(const Authority& authority,
                                                    const X509* certificate, Validity validity,
                                                    RandomSource& random) {
  openssl::CertificatePtr renewed(X509_dup(certificate));
  RW_ASSERT(renewed != nullptr);
  X509* raw = renewed.get();
  set_random_serial(raw, random);
  RW_ASSERT(ASN1_TIME_set(X509_getm_notBefore(raw), validity.from.seconds) != nullptr);
  RW_ASSERT(ASN1_TIME_set(X509_getm_notAfter(raw), validity.until.seconds) != nullptr);
  if (X509_sign(raw, authority.key.get(), digest_for(authority.key.get())) <= 0) {
    return fail("the authority's key does not sign: " + openssl::take_errors());
  }
  return renewed;
}

openssl::CrlPtr sign_revocations(const Authority& authority, const std::vector<IndexEntry>& entries,
                                 Validity validity) {
  openssl::CrlPtr list(X509_CRL_new());
  RW_ASSERT(list != nullptr);
  X509_CRL* raw = list.get();
  RW_ASSERT(X509_CRL_set_version(raw, X509_CRL_VERSION_2) == 1);
  RW_ASSERT(X509_CRL_set_issuer_name(raw, X509_get_subject_name(authority.certificate.get())) == 1);
  const TimePtr from(ASN1_TIME_set(nullptr, validity.from.seconds));
  const TimePtr until(ASN1_TIME_set(nullptr, validity.until.seconds));
  RW_ASSERT(X509_CRL_set1_lastUpdate(raw, from.get()) == 1);
  RW_ASSERT(X509_CRL_set1_nextUpdate(raw, until.get()) == 1);
  for (const IndexEntry& entry : entries) {
    if (entry.state == IndexEntry::State::Revoked) add_revoked(raw, entry);
  }
  X509_CRL_sort(raw);
  const SerialPtr number(ASN1_INTEGER_new());
  RW_ASSERT(ASN1_INTEGER_set_int64(number.get(), validity.from.seconds) == 1);
  RW_ASSERT(X509_CRL_add1_ext_i2d(raw, NID_crl_number, number.get(), 0, 0) == 1);
  if (X509_get0_subject_key_id(authority.certificate.get()) != nullptr) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, authority.certificate.get(), nullptr, nullptr, raw, 0);
    const ExtensionPtr extension(
        X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid"));
    RW_ASSERT(extension != nullptr);
    RW_ASSERT(X509_CRL_add_ext(raw, extension.get(), -1) == 1);
  }
  RW_ASSERT(X509_CRL_sign(raw, authority.key.get(), digest_for(authority.key.get())) > 0);
  return list;
}

std::string certificate_text(X509* certificate) {
  return pem_text(certificate, PEM_write_bio_X509);
}

std::string revocation_text(X509_CRL* list) { return pem_text(list, PEM_write_bio_X509_CRL); }

std::string serial_of(const X509* certificate) {
  const openssl::BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* hex = number == nullptr ? nullptr : BN_bn2hex(number.get());
  RW_ASSERT(hex != nullptr);
  std::string text(hex);
  OPENSSL_free(hex);
  return text;
}

std::string subject_of(const X509* certificate) {
  char* line = X509_NAME_oneline(X509_get_subject_name(certificate), nullptr, 0);
  RW_ASSERT(line != nullptr);
  std::string text(line);
  OPENSSL_free(line);
  return text;
}

}  // namespace ringway
