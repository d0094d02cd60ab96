#include "control/channel/tls_verification.h"

#include <openssl/x509_vfy.h>

#include <utility>

#include "base/check.h"
#include "control/channel/certificate_rules.h"
#include "control/channel/certificates.h"

namespace ringway {

using openssl::CertificatePtr;
using openssl::CrlPtr;

Result<std::unique_ptr<TlsVerification>> TlsVerification::make(Side side,
                                                               const TlsMaterial& material,
                                                               UnixTime now) {
  if (auto checked = check_rules(material.rules); !checked) return std::unexpected(checked.error());
  std::unique_ptr<TlsVerification> verification(new TlsVerification);
  if (!material.ca_pem.empty() || material.rules.fingerprints.empty()) {
    auto authorities = parse_certificates(material.ca_pem, material.ca_where);
    if (!authorities) return std::unexpected(authorities.error());
    verification->authorities_ = std::move(*authorities);
  }
  verification->peer_role_ = side == Side::Server ? Side::Client : Side::Server;
  verification->remote_cert_tls_ = material.remote_cert_tls;
  verification->peer_name_ = material.peer_name;
  verification->peer_name_match_ = material.peer_name_match;
  verification->crl_where_ = material.crl_where;
  verification->rules_ = material.rules;
  if (!material.crl_pem.empty()) {
    auto crls = parse_crls(material.crl_pem, material.crl_where, verification->authorities_, now);
    if (!crls) return std::unexpected(crls.error());
    verification->crls_ = std::move(*crls);
  }
  return verification;
}

void TlsVerification::attach(SSL_CTX* context, int verify_mode) {
  SSL_CTX_set_cert_store(context, make_store(crls_).release());
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_verify(context, verify_mode, verify_callback);
  if (authorities_.empty()) SSL_CTX_set_cert_verify_callback(context, verify_fingerprint, this);
  if (peer_role_ == Side::Server) return;
  // A server names its CAs, so that a client with several certificates shows the right one.
  for (const CertificatePtr& authority : authorities_) {
    RW_ASSERT(SSL_CTX_add_client_CA(context, authority.get()) == 1);
  }
}

Result<void> TlsVerification::replace_crl(SSL_CTX* context, const std::string& pem, UnixTime now) {
  auto crls = parse_crls(pem, crl_where_, authorities_, now);
  if (!crls) return std::unexpected(crls.error());
  SSL_CTX_set_cert_store(context, make_store(*crls).release());
  crls_ = std::move(*crls);
  return {};
}

std::vector<RevokedCertificate> TlsVerification::revoked() const { return list_revoked(crls_); }

void TlsVerification::watch(SSL* session, UnixTime now, std::string* fault) {
  X509_VERIFY_PARAM_set_time(SSL_get0_param(session), static_cast<time_t>(now.seconds));
  SSL_set_app_data(session, fault);
}

openssl::StorePtr TlsVerification::make_store(const std::vector<CrlPtr>& crls) const {
  openssl::StorePtr store(X509_STORE_new());
  RW_ASSERT(store != nullptr);
  for (const CertificatePtr& authority : authorities_) {
    RW_ASSERT(X509_STORE_add_cert(store.get(), authority.get()) == 1);
  }
  for (const CrlPtr& crl : crls) RW_ASSERT(X509_STORE_add_crl(store.get(), crl.get()) == 1);
  if (!crls.empty()) {
    X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  return store;
}

/// Called for each certificate of the chain, CA first, and for each fault that OpenSSL finds.
int TlsVerification::verify_callback(int chain_is_good, X509_STORE_CTX* verification) {
  const auto* session = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* fault = static_cast<std::string*>(SSL_get_app_data(session));
  const auto* self =
      static_cast<const TlsVerification*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));

  if (chain_is_good == 0) {
    // As OpenVPN does: a CA without a list of its own revokes nothing. An expired list, or one with
    // a bad signature, refuses everybody below it.
    const int error = X509_STORE_CTX_get_error(verification);
    if (error == X509_V_ERR_UNABLE_TO_GET_CRL) {
      X509_STORE_CTX_set_error(verification, X509_V_OK);
      return 1;
    }
    const X509* certificate = X509_STORE_CTX_get_current_cert(verification);
    *fault = X509_verify_cert_error_string(error);
    if (certificate != nullptr) *fault += " (" + subject_text(certificate) + ")";
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(verification) != 0) return 1;
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(verification);
  X509* issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : nullptr;
  if (self->leaf_is_acceptable(X509_STORE_CTX_get_current_cert(verification), issuer, fault)) {
    return 1;
  }
  X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

/// Called in place of all that OpenSSL would check, where there are no authorities. That the peer
/// has the certificate's key is shown by the handshake itself.
int TlsVerification::verify_fingerprint(X509_STORE_CTX* verification, void* context) {
  const auto* self = static_cast<const TlsVerification*>(context);
  const auto* session = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* fault = static_cast<std::string*>(SSL_get_app_data(session));
  X509* leaf = X509_STORE_CTX_get0_cert(verification);
  if (leaf != nullptr && self->leaf_is_acceptable(leaf, nullptr, fault)) {
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool TlsVerification::leaf_is_acceptable(X509* leaf, X509* issuer, std::string* fault) const {
  *fault = subject_fault(leaf, rules_.name_fields);
  if (fault->empty()) *fault = rule_fault(leaf, issuer, rules_);
  if (!fault->empty()) return false;
  if (remote_cert_tls_ && !has_tls_role(leaf, peer_role_)) {
    *fault = peer_role_ == Side::Client
                 ? "remote-cert-tls client: it lacks keyUsage or extendedKeyUsage clientAuth"
                 : "remote-cert-tls server: it lacks keyUsage or extendedKeyUsage serverAuth";
    return false;
  }
  if (!peer_name_.empty() && !has_name(leaf, peer_name_, peer_name_match_, rules_.name_fields)) {
    *fault = "verify-x509-name: it is " + subject_text(leaf) + ", not " + peer_name_;
    return false;
  }
  return true;
}

PeerCertificate TlsVerification::describe(SSL* session, X509* certificate) {
  const auto* self =
      static_cast<const TlsVerification*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
  return describe_certificate(certificate, self->rules_.name_fields);
}

}  // namespace ringway
