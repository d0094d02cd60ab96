#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/peer_name.h"
#include "base/time.h"
#include "control/channel/control_event.h"
#include "control/channel/openssl_handles.h"
#include "dataplane/admission/wrap_types.h"

/// Certificates, keys and revocation lists: from PEM text, and what they say. Pure; only for the
/// .cc files of control/channel that may see OpenSSL. `where` is named in errors.
namespace ringway {

/// Every certificate of the text, in its order; at least one.
Result<std::vector<openssl::CertificatePtr>> parse_certificates(std::string_view pem,
                                                                const std::string& where);
/// The one private key of the text. An encrypted one is opened with `passphrase`, and without one
/// refused with what to do about it.
Result<openssl::KeyPtr> parse_private_key(std::string_view pem, const std::string& where,
                                          std::string_view passphrase = {});

/// Every revocation list of the text; at least one, none of them expired or not yet valid at
/// `now`, and none with a bad signature of one of `authorities`.
Result<std::vector<openssl::CrlPtr>> parse_crls(
    std::string_view pem, const std::string& where,
    const std::vector<openssl::CertificatePtr>& authorities, UnixTime now);

/// The value as UTF-8, whatever string type the certificate uses; nothing when it cannot be read.
std::optional<std::string> utf8_text(const ASN1_STRING* value);

/// Why `certificate` must not name a peer, or an empty string (security goal B10): no name by
/// `fields` (none: no common name), one over 64 bytes, or a control byte in it or anywhere in the
/// subject, which two parsers would read as two different identities.
std::string subject_fault(const X509* certificate, const std::vector<std::string>& fields = {});

/// "CN=client1, O=Example", for a log line; holds peer text.
std::string subject_text(const X509* certificate);

/// Its common name is what `fields` call the peer; see peer_name_of(). subject_fault() must be
/// empty.
PeerCertificate describe_certificate(X509* certificate,
                                     const std::vector<std::string>& fields = {});
CertificateFacts describe_for_programs(X509* certificate);

/// Every entry of the lists.
std::vector<RevokedCertificate> list_revoked(const std::vector<openssl::CrlPtr>& crls);

/// keyUsage present, and extendedKeyUsage that names the role: what `remote-cert-tls` asks for.
[[nodiscard]] bool has_tls_role(X509* certificate, Side role);

/// `verify-x509-name`: whether the certificate, or the peer by `fields`, bears `name`.
/// subject_fault() must be empty.
[[nodiscard]] bool has_name(const X509* certificate, std::string_view name, PeerNameMatch match,
                            const std::vector<std::string>& fields = {});

UnixTime expires_at(const X509* certificate);

}  // namespace ringway
