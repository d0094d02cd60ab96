#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tests/support/certificates.h"

/// Certificates that no honest CA would make, signed by the golden one.
namespace ringway::test {

struct OddCertificate {
  /// In order; a name may occur twice and hold any byte.
  std::vector<std::pair<int, std::string>> subject = {{NID_commonName, "odd"}};
  /// NID and OpenSSL's text, e.g. {NID_ext_key_usage, "clientAuth"}.
  std::vector<std::pair<int, std::string>> extensions = {{NID_key_usage, "digitalSignature"},
                                                         {NID_ext_key_usage, "clientAuth"}};
  std::string not_before = "20200101000000Z";
  std::string not_after = "21200101000000Z";
  long serial = 77;
};

/// The certificate as PEM, for the key of kClientCertPem.
inline std::string make_certificate(const OddCertificate& odd) {
  const auto read = [](std::string_view pem) {
    return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  };
  BIO* ca_text = read(kCaPem);
  X509* ca = PEM_read_bio_X509(ca_text, nullptr, nullptr, nullptr);
  BIO* ca_key_text = read(kCaKeyPem);
  EVP_PKEY* ca_key = PEM_read_bio_PrivateKey(ca_key_text, nullptr, nullptr, nullptr);
  BIO* key_text = read(kClientKeyPem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);

  X509* certificate = X509_new();
  RW_ASSERT(X509_set_version(certificate, X509_VERSION_3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), odd.serial);
  ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), odd.not_before.c_str());
  ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), odd.not_after.c_str());
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (const auto& [nid, value] : odd.subject) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    RW_ASSERT(X509_NAME_add_entry_by_NID(subject, nid, V_ASN1_UTF8STRING, bytes,
                                         static_cast<int>(value.size()), -1, 0) == 1);
  }
  X509_set_issuer_name(certificate, X509_get_subject_name(ca));
  X509_set_pubkey(certificate, key);
  X509V3_CTX context;
  X509V3_set_ctx(&context, ca, certificate, nullptr, nullptr, 0);
  for (const auto& [nid, value] : odd.extensions) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    RW_ASSERT(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  RW_ASSERT(X509_sign(certificate, ca_key, EVP_sha256()) > 0);

  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  for (BIO* bio : {ca_text, ca_key_text, key_text, out}) BIO_free(bio);
  for (EVP_PKEY* used : {ca_key, key}) EVP_PKEY_free(used);
  for (X509* used : {ca, certificate}) X509_free(used);
  return pem;
}

/// The client's key behind a password.
inline std::string make_encrypted_key() {
  BIO* in = BIO_new_mem_buf(kClientKeyPem.data(), static_cast<int>(kClientKeyPem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new(BIO_s_mem());
  RW_ASSERT(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "secret", 6, nullptr,
                                          nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(in);
  BIO_free(out);
  EVP_PKEY_free(key);
  return pem;
}

}  // namespace ringway::test
