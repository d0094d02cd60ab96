#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/peer_name.h"
#include "base/peer_rules.h"
#include "base/time.h"
#include "control/channel/control_event.h"
#include "dataplane/admission/wrap_types.h"

struct ssl_ctx_st;

namespace ringway {

class TlsVerification;

/// Certificates, keys and policy as PEM text; reading files is the caller's work.
struct TlsMaterial {
  /// Empty with `rules.fingerprints`: they stand in for authorities.
  std::string ca_pem;
  std::string ca_where;  ///< option and file, for error messages
  std::string cert_pem;
  std::string cert_where;
  std::string key_pem;
  std::string key_where;
  /// Of an encrypted key.
  std::string key_passphrase;
  /// Sent behind our own certificate, besides what `cert_pem` holds; may be empty.
  std::string extra_certs_pem;
  std::string extra_certs_where;
  /// Empty: ECDHE only.
  std::string dh_pem;
  /// Empty: no revocation check.
  std::string crl_pem;
  std::string crl_where;
  std::string version_min = "1.2";
  std::string groups;
  std::string cipher_list;
  std::string ciphersuites;
  std::string cert_profile = "legacy";
  /// Server: whether a client must show a certificate.
  bool require_peer_cert = true;
  bool request_peer_cert = true;
  /// `remote-cert-tls`: keyUsage present, and extendedKeyUsage of the other role.
  bool remote_cert_tls = false;
  /// `verify-x509-name`: what the peer must be called; empty: anything.
  std::string peer_name;
  PeerNameMatch peer_name_match = PeerNameMatch::Subject;
  PeerRules rules;
};

/// Whether the PEM text of a private key can be read with this passphrase.
[[nodiscard]] bool can_read_private_key(std::string_view pem, std::string_view passphrase);

/// One end's TLS set-up, shared by all its TLS sessions. OpenSSL's SSL_CTX: TLS 1.2 and up, no
/// tickets, no resumption, no compression, no renegotiation. Constant after make(), but for
/// replace_crl(). Used by one thread.
class TlsContext {
 public:
  /// Errors: unreadable PEM, key and certificate that do not belong together, no CA, a CRL that has
  /// expired at `now`, unknown cipher or group names; each names the option's file.
  static Result<TlsContext> make(Side side, const TlsMaterial& material, UnixTime now);
  TlsContext(TlsContext&&) noexcept;
  TlsContext& operator=(TlsContext&&) noexcept;
  ~TlsContext();

  /// Parses and checks the new CRL off to the side and swaps it in whole; on error the old one
  /// stays (security goal B11).
  Result<void> replace_crl(const std::string& pem, UnixTime now);
  /// What the CRL lists, to find the clients that are connected with such a certificate.
  [[nodiscard]] std::vector<RevokedCertificate> revoked() const;
  /// When our own certificate ends; nothing on a client without one.
  [[nodiscard]] std::optional<UnixTime> own_certificate_expires() const;

  [[nodiscard]] Side side() const { return side_; }
  [[nodiscard]] ssl_ctx_st* native() const { return context_; }

 private:
  TlsContext(Side side, ssl_ctx_st* context, std::unique_ptr<TlsVerification> verification);
  Side side_;
  ssl_ctx_st* context_;
  /// SSL_CTX points to it.
  std::unique_ptr<TlsVerification> verification_;
};

/// From now on OpenSSL overwrites all memory that it frees: the secrets of a TLS session that has
/// ended, which it leaves behind otherwise (D03). Call it before anything else uses OpenSSL.
void wipe_what_openssl_frees();

}  // namespace ringway
