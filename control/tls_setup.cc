#include "control/tls_setup.h"

#include <fmt/format.h>

#include <string>

#include "base/secret.h"
#include "dataplane/admission/static_key.h"

namespace ringway {
namespace {

/// Where an error in the file is to be looked for: the line that names it, and the file itself.
std::string place_of(const FileOrInline& file) {
  return file.is_inline ? file.where : fmt::format("{}: {}", file.where, file.path);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

/// The key that all clients have in common, or none.
Result<TlsWrap> make_shared_wrap(Side side, const WrapConfig& config) {
  if (config.mode == WrapMode::None) return TlsWrap();
  const Result<StaticKey> key = StaticKey::parse(config.key.text, place_of(config.key));
  if (!key) return std::unexpected(key.error());
  TlsWrap wrap = config.mode == WrapMode::TlsCrypt
                     ? TlsWrap(TlsCrypt(*key, side))
                     : TlsWrap(TlsAuth(*key, config.direction, config.auth));
  wrap.keep_key(*key);
  return wrap;
}

}  // namespace

Result<TlsContext> make_tls_context(Side side, const TlsConfig& config, UnixTime now,
                                    const SecretText& passphrase) {
  TlsMaterial material{
      .ca_pem = config.ca.text,
      .ca_where = place_of(config.ca),
      .cert_pem = config.cert.text,
      .cert_where = place_of(config.cert),
      .key_pem = config.key.text,
      .key_where = place_of(config.key),
      .key_passphrase = passphrase.view().empty() ? first_line(config.key_passphrase.text)
                                                  : std::string(passphrase.view()),
      .extra_certs_pem = config.extra_certs.text,
      .extra_certs_where = place_of(config.extra_certs),
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
      .rules = config.rules,
  };
  Result<TlsContext> context = TlsContext::make(side, material, now);
  wipe({reinterpret_cast<std::uint8_t*>(material.key_passphrase.data()),
        material.key_passphrase.size()});
  return context;
}

bool opens_private_key(const FileOrInline& key, const SecretText& passphrase) {
  return can_read_private_key(key.text, passphrase.view());
}

Result<TlsWrap> make_tls_wrap(Side side, const WrapConfig& config) {
  if (side == Side::Client && config.v2_key.is_set()) {
    const auto own = TlsCryptV2ClientKey::parse(config.v2_key.text, place_of(config.v2_key));
    if (!own) return std::unexpected(own.error());
    return TlsWrap::with_wrapped_key(*own);
  }
  Result<TlsWrap> wrap = make_shared_wrap(side, config);
  if (!wrap || !config.v2_key.is_set()) return wrap;
  Result<TlsCryptV2ServerKey> key =
      TlsCryptV2ServerKey::parse(config.v2_key.text, place_of(config.v2_key));
  if (!key) return std::unexpected(key.error());
  wrap->offer_v2({.key = std::move(*key),
                  .force_cookie = config.v2_force_cookie,
                  .age_max = config.v2_age_max});
  return wrap;
}

Result<std::optional<AuthTokens>> make_auth_tokens(const TokenConfig& config,
                                                   RandomSource& random) {
  if (!config.enabled) return std::optional<AuthTokens>();
  const TokenLimits limits{.lifetime = config.lifetime, .renewal = config.renewal};
  if (!config.secret.is_set()) return std::optional(AuthTokens::make(random, limits));
  Result<AuthTokens> tokens =
      AuthTokens::parse(config.secret.text, place_of(config.secret), limits);
  if (!tokens) return std::unexpected(tokens.error());
  return std::optional(std::move(*tokens));
}

}  // namespace ringway
