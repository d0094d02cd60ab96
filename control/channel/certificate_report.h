#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

/// What certificates, keys and revocation lists say about themselves, for those who explain a
/// configuration; nothing is trusted because of it. Pure.
namespace ringway {

struct CertificateReport {
  std::string subject;
  std::string common_name;
  UnixTime not_before;
  UnixTime not_after;
  /// "RSA", "EC", "ED25519" ...
  std::string key_type;
  int key_bits = 0;
  /// What an attacker has to search, by NIST SP 800-57: 112 for RSA of 2048 bits.
  int security_bits = 0;
  /// "sha256WithRSAEncryption", as OpenSSL calls it; empty when it is no name that it knows.
  std::string signature;
  /// MD5 or SHA-1, for which two texts with one digest can be made.
  bool has_weak_signature = false;
  bool is_self_signed = false;
  /// keyUsage present, and extendedKeyUsage that names the role (`remote-cert-tls`).
  bool may_serve = false;
  bool may_be_client = false;
};

/// Every certificate of the text, in its order; at least one. The error names `where`.
Result<std::vector<CertificateReport>> report_certificates(std::string_view pem,
                                                           const std::string& where);

/// Whether `key_pem`, opened with `passphrase`, is the private half of the first certificate of
/// `certificate_pem`; an error when either cannot be read.
Result<bool> key_fits(std::string_view certificate_pem, const std::string& certificate_where,
                      std::string_view key_pem, const std::string& key_where,
                      std::string_view passphrase = {});

struct RevocationReport {
  UnixTime issued;
  UnixTime next_update;
};

/// Every revocation list of the text; at least one.
Result<std::vector<RevocationReport>> report_revocations(std::string_view pem,
                                                         const std::string& where);

}  // namespace ringway
