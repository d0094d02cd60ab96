#include "control/channel/certificate_rules.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/secret.h"
#include "control/channel/certificates.h"

namespace ringway {
namespace {

using ObjectPtr = std::unique_ptr<ASN1_OBJECT, openssl::Deleter<ASN1_OBJECT_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, openssl::Deleter<GENERAL_NAMES_free>>;
using UsagesPtr = std::unique_ptr<EXTENDED_KEY_USAGE, openssl::Deleter<EXTENDED_KEY_USAGE_free>>;

constexpr std::string_view kSerialField = "serialNumber";
constexpr std::string_view kSubjectAltName = "ext:subjectAltName";
constexpr std::string_view kIssuerAltName = "ext:issuerAltName";

ObjectPtr object_of(const std::string& name) {
  constexpr int kNumbersToo = 0;
  ObjectPtr object(OBJ_txt2obj(name.c_str(), kNumbersToo));
  ERR_clear_error();
  return object;
}

bool is_special(std::string_view field) {
  return field == kSerialField || field == kSubjectAltName || field == kIssuerAltName;
}

/// "0x1A2B", as OpenVPN writes it.
std::string serial_text(const X509* certificate) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  std::string text = "0x";
  for (int i = 0; i < ASN1_STRING_length(serial); ++i) {
    const std::uint8_t byte = ASN1_STRING_get0_data(serial)[i];
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0x0f];
  }
  return text;
}

/// The last e-mail address of an alternative name.
std::string address_in(const X509* certificate, int extension) {
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, extension, nullptr, nullptr)));
  ERR_clear_error();
  std::string address;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_EMAIL) continue;
    address = utf8_text(name->d.rfc822Name).value_or("");
  }
  return address;
}

std::string subject_field(const X509* certificate, const std::string& field) {
  const ObjectPtr object = object_of(field);
  if (object == nullptr) return {};
  const X509_NAME* subject = X509_get_subject_name(certificate);
  std::string name;
  for (int at = -1; (at = X509_NAME_get_index_by_OBJ(subject, object.get(), at)) >= 0;) {
    name = utf8_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))).value_or("");
  }
  return name;
}

std::string field_of(const X509* certificate, const std::string& field) {
  if (field == kSerialField) return serial_text(certificate);
  if (field == kSubjectAltName) return address_in(certificate, NID_subject_alt_name);
  if (field == kIssuerAltName) return address_in(certificate, NID_issuer_alt_name);
  return subject_field(certificate, field);
}

bool has_key_usage(X509* leaf, const PeerRules& rules) {
  if ((X509_get_extension_flags(leaf) & EXFLAG_KUSAGE) == 0) return false;
  const std::uint32_t usage = X509_get_key_usage(leaf);
  return rules.key_usages.empty() ||
         std::ranges::any_of(rules.key_usages,
                             [&](std::uint16_t wanted) { return (usage & wanted) == wanted; });
}

bool has_extended_key_usage(const X509* leaf, const std::string& wanted) {
  const ObjectPtr object = object_of(wanted);
  const UsagesPtr usages(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(leaf, NID_ext_key_usage, nullptr, nullptr)));
  ERR_clear_error();
  for (int i = 0; object != nullptr && i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    if (OBJ_cmp(sk_ASN1_OBJECT_value(usages.get(), i), object.get()) == 0) return true;
  }
  return false;
}

bool has_digest(const X509* certificate, Bytes wanted) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const EVP_MD* kind = wanted.size() == 20 ? EVP_sha1() : EVP_sha256();
  if (certificate == nullptr || X509_digest(certificate, kind, digest.data(), &size) != 1) {
    return false;
  }
  return equal_in_constant_time(Bytes(digest).first(size), wanted);
}

}  // namespace

Result<void> check_rules(const PeerRules& rules) {
  for (const std::string& field : rules.name_fields) {
    if (is_special(field) || (!field.starts_with("ext:") && object_of(field) != nullptr)) continue;
    return fail("x509-username-field: there is no certificate field \"" + field + "\"", {},
                "write for example CN, emailAddress, UID, serialNumber or ext:subjectAltName");
  }
  if (!rules.extended_key_usage.empty() && object_of(rules.extended_key_usage) == nullptr) {
    return fail("remote-cert-eku: there is no key usage \"" + rules.extended_key_usage + "\"", {},
                "write for example clientAuth, \"TLS Web Client Authentication\" or "
                "1.3.6.1.5.5.7.3.2");
  }
  return {};
}

std::string rule_fault(X509* leaf, X509* issuer, const PeerRules& rules) {
  if (rules.needs_key_usage && !has_key_usage(leaf, rules)) {
    return "remote-cert-ku: it lacks the key usage";
  }
  if (!rules.extended_key_usage.empty() &&
      !has_extended_key_usage(leaf, rules.extended_key_usage)) {
    return "remote-cert-eku: it lacks the extended key usage " + rules.extended_key_usage;
  }
  const auto is_leaf = [&](const CertificateDigest& digest) { return has_digest(leaf, digest); };
  if (!rules.fingerprints.empty() && std::ranges::none_of(rules.fingerprints, is_leaf)) {
    return "peer-fingerprint: it is none of those listed";
  }
  if (!rules.issuer_digest.empty() && !has_digest(issuer, rules.issuer_digest)) {
    return "verify-hash: it was signed by another certificate";
  }
  return {};
}

std::string peer_name_of(const X509* certificate, const std::vector<std::string>& fields) {
  if (fields.empty()) return field_of(certificate, "CN");
  std::string name;
  for (const std::string& field : fields) {
    const std::string part = field_of(certificate, field);
    if (part.empty()) return {};
    if (!name.empty()) name += '_';
    name += part;
  }
  return name;
}

}  // namespace ringway
