#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/channel/control_event.h"
#include "control/channel/openssl_handles.h"
#include "control/channel/tls_context.h"

namespace ringway {

/// Which peers a TlsContext believes: the CAs, the revocation lists and what a certificate must
/// look like. OpenSSL checks the chain and calls back here for the rest; without CAs there is no
/// chain, and the certificate's fingerprint decides, whatever else it says, its dates included.
///
/// Owned by one TlsContext, at a fixed place because its SSL_CTX points to it. One thread.
class TlsVerification {
 public:
  static Result<std::unique_ptr<TlsVerification>> make(Side side, const TlsMaterial& material,
                                                       UnixTime now);

  /// Makes `context` ask us.
  void attach(SSL_CTX* context, int verify_mode);
  /// Builds a new store off to the side and swaps it in whole; on error the old one stays.
  Result<void> replace_crl(SSL_CTX* context, const std::string& pem, UnixTime now);

  [[nodiscard]] std::vector<RevokedCertificate> revoked() const;

  /// A session's certificates are judged at `now`, so that simulations control the calendar; what
  /// is found wrong beyond OpenSSL's own words is written to `*fault`, which outlives the session.
  static void watch(SSL* session, UnixTime now, std::string* fault);

  /// Who the peer of `session` is, whose certificate has been verified.
  static PeerCertificate describe(SSL* session, X509* certificate);

 private:
  TlsVerification() = default;
  static int verify_callback(int chain_is_good, X509_STORE_CTX* verification);
  static int verify_fingerprint(X509_STORE_CTX* verification, void* self);
  bool leaf_is_acceptable(X509* leaf, X509* issuer, std::string* fault) const;
  openssl::StorePtr make_store(const std::vector<openssl::CrlPtr>& crls) const;

  Side peer_role_ = Side::Client;
  bool remote_cert_tls_ = false;
  std::string peer_name_;
  PeerNameMatch peer_name_match_ = PeerNameMatch::Subject;
  PeerRules rules_;
  std::string crl_where_;
  std::vector<openssl::CertificatePtr> authorities_;
  std::vector<openssl::CrlPtr> crls_;
};

}  // namespace ringway
