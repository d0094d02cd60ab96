#include "control/channel/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/check.h"
#include "control/channel/certificate_rules.h"

namespace ringway {
namespace {

using openssl::BioPtr;
using openssl::CertificatePtr;
using openssl::CrlPtr;
using openssl::KeyPtr;

constexpr std::size_t kCommonNameSizeMax = 64;

/// A PEM reader ends with this error when the text simply has no more; it is not one.
bool only_ran_out_of_text() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/// The epoch itself when `time` is missing or cannot be read.
UnixTime to_unix(const ASN1_TIME* time) {
  using TimePtr = std::unique_ptr<ASN1_TIME, openssl::Deleter<ASN1_TIME_free>>;
  const TimePtr epoch(ASN1_TIME_set(nullptr, 0));
  RW_ASSERT(epoch != nullptr);
  int days = 0;
  int seconds = 0;
  if (time == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return {0};
  constexpr std::int64_t kSecondsPerDay = 86'400;
  return {days * kSecondsPerDay + seconds};
}

bool has_control_byte(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string decimal_text(const ASN1_INTEGER* serial) {
  const openssl::BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  char* decimal = number == nullptr ? nullptr : BN_bn2dec(number.get());
  if (decimal == nullptr) return {};
  std::string text(decimal);
  OPENSSL_free(decimal);
  return text;
}

/// What an encrypted key is opened with, and whether it was asked for.
struct Passphrase {
  std::string_view text;
  bool was_asked = false;
};

/// Called when a key turns out to be encrypted.
int give_passphrase(char* out, int size, int, void* context) {
  auto* passphrase = static_cast<Passphrase*>(context);
  passphrase->was_asked = true;
  if (passphrase->text.empty() || passphrase->text.size() > static_cast<std::size_t>(size)) {
    return -1;
  }
  std::ranges::copy(passphrase->text, out);
  return static_cast<int>(passphrase->text.size());
}

/// Empty when `crl` may be used.
std::string crl_fault(X509_CRL* crl, const std::vector<CertificatePtr>& authorities, UnixTime now) {
  if (to_unix(X509_CRL_get0_lastUpdate(crl)) > now) {
    return "the revocation list is not valid yet";
  }
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  if (next != nullptr && to_unix(next) < now) return "the revocation list has expired";
  const auto issuer = std::ranges::find_if(authorities, [&](const CertificatePtr& authority) {
    return X509_NAME_cmp(X509_get_subject_name(authority.get()), X509_CRL_get_issuer(crl)) == 0 &&
           X509_CRL_verify(crl, X509_get0_pubkey(authority.get())) == 1;
  });
  const bool known = std::ranges::any_of(authorities, [&](const CertificatePtr& authority) {
    return X509_NAME_cmp(X509_get_subject_name(authority.get()), X509_CRL_get_issuer(crl)) == 0;
  });
  ERR_clear_error();
  if (known && issuer == authorities.end()) {
    return "the revocation list was not signed by the CA whose name it bears";
  }
  return {};
}

std::string colon_hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += ':';
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

std::string digest_text(const X509* certificate, const EVP_MD* digest) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  RW_ASSERT(X509_digest(certificate, digest, bytes.data(), &size) == 1);
  return colon_hex(Bytes(bytes).first(size));
}

}  // namespace

Result<std::vector<CertificatePtr>> parse_certificates(std::string_view pem,
                                                       const std::string& where) {
  ERR_clear_error();
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = openssl::open_text(pem);
  while (X509* raw = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(raw);
  }
  if (!only_ran_out_of_text()) {
    return fail("cannot read a certificate: " + openssl::take_errors(), where,
                "it must be PEM text, from BEGIN CERTIFICATE to END CERTIFICATE");
  }
  ERR_clear_error();
  if (certificates.empty()) {
    return fail("there is no certificate in it", where,
                "it must be PEM text, from BEGIN CERTIFICATE to END CERTIFICATE; "
                "`openssl x509 -inform DER` converts other forms");
  }
  return certificates;
}

Result<KeyPtr> parse_private_key(std::string_view pem, const std::string& where,
                                 std::string_view passphrase) {
  ERR_clear_error();
  Passphrase asked{.text = passphrase};
  const BioPtr bio = openssl::open_text(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &asked));
  if (key != nullptr) return key;

  const std::string reason = openssl::take_errors();
  if (asked.was_asked && !passphrase.empty()) {
    return fail("the private key does not open with this passphrase", where,
                "the first line of the passphrase's file must be it, and nothing else");
  }
  if (asked.was_asked) {
    return fail("the private key is encrypted", where,
                "write `askpass FILE` with a file whose first line is its passphrase, or decrypt "
                "it with `openssl pkey -in KEY -out NEWKEY`; only root should read either file");
  }
  return fail("cannot read the private key: " + reason, where,
              "it must be PEM text, from BEGIN PRIVATE KEY to END PRIVATE KEY");
}

Result<std::vector<CrlPtr>> parse_crls(std::string_view pem, const std::string& where,
                                       const std::vector<CertificatePtr>& authorities,
                                       UnixTime now) {
  ERR_clear_error();
  std::vector<CrlPtr> crls;
  const BioPtr bio = openssl::open_text(pem);
  while (X509_CRL* raw = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) {
    crls.emplace_back(raw);
  }
  if (!only_ran_out_of_text() || crls.empty()) {
    const std::string reason =
        crls.empty() && only_ran_out_of_text() ? "there is none in it" : openssl::take_errors();
    ERR_clear_error();
    return fail("cannot read the revocation list: " + reason, where,
                "it must be PEM text, from BEGIN X509 CRL to END X509 CRL");
  }
  ERR_clear_error();
  for (const CrlPtr& crl : crls) {
    const std::string fault = crl_fault(crl.get(), authorities, now);
    if (!fault.empty()) {
      return fail(fault, where,
                  "make a new one with the CA (`ringway pki crl`, `easyrsa gen-crl`), and check "
                  "this machine's clock");
    }
  }
  return crls;
}

std::optional<std::string> utf8_text(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  std::string utf8(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return utf8;
}

std::string subject_fault(const X509* certificate, const std::vector<std::string>& fields) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
    const std::optional<std::string> utf8 = utf8_text(value);
    if (!utf8 || has_control_byte(*utf8)) return "control characters in its subject";
  }
  const std::string what = fields.empty() ? "common name" : "name by x509-username-field";
  const std::string name = peer_name_of(certificate, fields);
  if (name.empty()) return "it has no " + what;
  if (has_control_byte(name)) return "control characters in its " + what;
  if (name.size() > kCommonNameSizeMax) return "its " + what + " is longer than 64 bytes";
  return {};
}

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  RW_ASSERT(bio != nullptr);
  constexpr unsigned long kFlags =
      XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL;
  X509_NAME_print_ex(bio.get(), name, 0, kFlags);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(std::max(size, 0L)));
}

std::string subject_text(const X509* certificate) {
  return name_text(X509_get_subject_name(certificate));
}

PeerCertificate describe_certificate(X509* certificate, const std::vector<std::string>& fields) {
  PeerCertificate description;
  description.common_name = peer_name_of(certificate, fields);
  description.subject = subject_text(certificate);
  description.issuer = name_text(X509_get_issuer_name(certificate));
  description.serial_decimal = decimal_text(X509_get0_serialNumber(certificate));
  unsigned size = 0;
  RW_ASSERT(X509_digest(certificate, EVP_sha256(), description.sha256.data(), &size) == 1);
  description.present = true;
  return description;
}

CertificateFacts describe_for_programs(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  CertificateFacts facts{.subject = name_text(subject),
                         .subject_fields = {},
                         .serial_decimal = decimal_text(X509_get0_serialNumber(certificate)),
                         .serial_hex = {},
                         .sha1_hex = {},
                         .sha256_hex = {}};
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  facts.serial_hex = colon_hex(
      {ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  facts.sha1_hex = digest_text(certificate, EVP_sha1());
  facts.sha256_hex = digest_text(certificate, EVP_sha256());
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    if (size < 0 || nid == NID_undef) continue;
    facts.subject_fields.emplace_back(OBJ_nid2sn(nid),
                                      text_of({text, static_cast<std::size_t>(size)}));
    OPENSSL_free(text);
  }
  return facts;
}

std::vector<RevokedCertificate> list_revoked(const std::vector<openssl::CrlPtr>& crls) {
  std::vector<RevokedCertificate> revoked;
  for (const openssl::CrlPtr& crl : crls) {
    const std::string issuer = name_text(X509_CRL_get_issuer(crl.get()));
    const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl.get());
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
      const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
      revoked.push_back({.issuer = issuer,
                         .serial_decimal = decimal_text(X509_REVOKED_get0_serialNumber(entry))});
    }
  }
  return revoked;
}

bool has_tls_role(X509* certificate, Side role) {
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  if ((flags & EXFLAG_KUSAGE) == 0 || (flags & EXFLAG_XKUSAGE) == 0) return false;
  const std::uint32_t wanted = role == Side::Server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
  return (X509_get_extended_key_usage(certificate) & wanted) != 0;
}

bool has_name(const X509* certificate, std::string_view name, PeerNameMatch match,
              const std::vector<std::string>& fields) {
  if (match == PeerNameMatch::Subject) return subject_text(certificate) == name;
  const std::string common_name = peer_name_of(certificate, fields);
  return match == PeerNameMatch::CommonName ? common_name == name : common_name.starts_with(name);
}

UnixTime expires_at(const X509* certificate) { return to_unix(X509_get0_notAfter(certificate)); }

}  // namespace ringway
