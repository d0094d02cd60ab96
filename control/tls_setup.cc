#include "control/tls_setup.h"

#include <fmt/format.h>

#include <string>

#include "dataplane/admission/static_key.h"

namespace ringway {
namespace {

/// Where an error in the file is to be looked for: the line that names it, and the file itself.
std::string place_of(const FileOrInline& file) {
  return file.is_inline ? file.where : fmt::format("{}: {}", file.where, file.path);
}

}  // namespace

Result<TlsContext> make_tls_context(Side side, const TlsConfig& config, UnixTime now) {
  const TlsMaterial material{
      .ca_pem = config.ca.text,
      .ca_where = place_of(config.ca),
      .cert_pem = config.cert.text,
      .cert_where = place_of(config.cert),
      .key_pem = config.key.text,
      .key_where = place_of(config.key),
      .dh_pem = config.dh.text,
      .crl_pem = config.crl_is_directory ? std::string() : config.crl.text,
      .crl_where = place_of(config.crl),
      .version_min = config.version_min,
      .groups = config.groups,
      .cipher_list = config.cipher_list,
      .ciphersuites = config.ciphersuites,
      .cert_profile = config.cert_profile,
      .require_peer_cert = config.verify_client_cert == VerifyClientCert::Require,
      .request_peer_cert = config.verify_client_cert != VerifyClientCert::None,
      .remote_cert_tls = config.remote_cert_tls,
      .peer_name = config.peer_name,
      .peer_name_match = config.peer_name_match,
  };
  return TlsContext::make(side, material, now);
}

Result<TlsWrap> make_tls_wrap(Side side, const WrapConfig& config) {
  if (config.mode == WrapMode::None) return TlsWrap();
  const Result<StaticKey> key = StaticKey::parse(config.key.text, place_of(config.key));
  if (!key) return std::unexpected(key.error());
  if (config.mode == WrapMode::TlsCrypt) return TlsWrap(TlsCrypt(*key, side));
  return TlsWrap(TlsAuth(*key, config.direction, config.auth));
}

}  // namespace ringway
