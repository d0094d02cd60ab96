#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel/openssl_handles.h"
#include "control/pki/pki_index.h"
#include "dataplane/admission/wrap_types.h"

/// What an authority signs: itself, certificates of servers and clients, revocation lists. For the
/// .cc files of control/pki; pure but for OpenSSL's generator, which signatures need.
namespace ringway {

struct Authority {
  openssl::CertificatePtr certificate;
  openssl::KeyPtr key;
};

/// From when to when. It begins an hour early, for clocks that are slow.
struct Validity {
  UnixTime from;
  UnixTime until;
};
Validity validity_of(UnixTime now, std::int64_t days);

struct CertificateTerms {
  std::string common_name;
  Side role = Side::Client;
  /// Names and addresses in subjectAltName, beside what the role implies.
  std::vector<std::string> alternative_names;
  Validity validity;
};

/// A certificate that signs itself, and may sign others.
openssl::CertificatePtr make_authority(EVP_PKEY* key, const std::string& common_name,
                                       Validity validity, RandomSource& random);

/// Signs `key`, of which only the public half is looked at. The certificate carries the key usages
/// that `remote-cert-tls` of the other side wants, in every version of OpenVPN. Error: an
/// alternative name that is none.
Result<openssl::CertificatePtr> sign_certificate(const Authority& authority, EVP_PKEY* key,
                                                 const CertificateTerms& terms,
                                                 RandomSource& random);

/// The same certificate with other dates and another serial number.
Result<openssl::CertificatePtr> prolong_certificate(const Authority& authority,
                                                    const X509* certificate, Validity validity,
                                                    RandomSource& random);

/// Signs a list of those entries that are revoked. Its number is the time, so that a later list has
/// a higher one without anybody keeping count.
openssl::CrlPtr sign_revocations(const Authority& authority, const std::vector<IndexEntry>& entries,
                                 Validity validity);

/// Whether it may stand in a certificate as a name of DNS; a wildcard may.
bool is_host_name(std::string_view name);

std::string certificate_text(X509* certificate);
std::string revocation_text(X509_CRL* list);
/// The serial number as the index has it.
std::string serial_of(const X509* certificate);
/// The subject as the index has it.
std::string subject_of(const X509* certificate);

}  // namespace ringway
