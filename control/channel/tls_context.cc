#include "control/channel/tls_context.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <iterator>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/wiped_heap.h"
#include "control/channel/certificates.h"
#include "control/channel/openssl_handles.h"
#include "control/channel/tls_names.h"
#include "control/channel/tls_verification.h"

namespace ringway {
namespace {

using openssl::CertificatePtr;
using openssl::CrlPtr;
using openssl::KeyPtr;

constexpr int kChainDepthMax = 16;
/// Sixteen large certificates fit; half of what an unverified peer may make us hold (A13).
constexpr long kCertificateListSizeMax = 32 * 1024;
/// Forward secrecy and authentication; nothing below 128 bits.
constexpr const char* kDefaultCipherList =
    "DEFAULT:!aNULL:!eNULL:!LOW:!MEDIUM:!kRSA:!aDSS:!PSK:!SRP";

Result<void> apply_version_min(SSL_CTX* context, const std::string& version_min) {
  int version = TLS1_2_VERSION;
  if (version_min == "1.3") {
    version = TLS1_3_VERSION;
  } else if (version_min != "1.2" && version_min != "1.1" && version_min != "1.0") {
    return fail("tls-version-min knows no TLS version \"" + version_min + "\"", {},
                "write 1.2 or 1.3");
  }
  // What is older than 1.2 is raised to it, as by OpenVPN 2.7 (security goal B05).
  RW_ASSERT(SSL_CTX_set_min_proto_version(context, version) == 1);
  RW_ASSERT(SSL_CTX_set_max_proto_version(context, 0) == 1);
  return {};
}

Result<void> apply_profile(SSL_CTX* context, const std::string& profile) {
  constexpr std::pair<std::string_view, int> kLevels[] = {
      {"insecure", 0}, {"legacy", 1}, {"preferred", 2}, {"suiteb", 3}};
  for (const auto& [name, level] : kLevels) {
    if (profile != name) continue;
    SSL_CTX_set_security_level(context, level);
    return {};
  }
  return fail("there is no tls-cert-profile \"" + profile + "\"", {},
              "write insecure, legacy, preferred or suiteb");
}

Result<void> apply_ciphers(SSL_CTX* context, const TlsMaterial& material) {
  const auto list = translate_cipher_list(material.cipher_list);
  if (!list) return std::unexpected(list.error());
  if (SSL_CTX_set_cipher_list(context, list->empty() ? kDefaultCipherList : list->c_str()) != 1) {
    return fail("tls-cipher leaves no cipher: " + openssl::take_errors());
  }
  const auto suites = translate_ciphersuites(material.ciphersuites);
  if (!suites) return std::unexpected(suites.error());
  if (!suites->empty() && SSL_CTX_set_ciphersuites(context, suites->c_str()) != 1) {
    return fail("tls-ciphersuites leaves no cipher: " + openssl::take_errors());
  }
  // The library's macro wants a mutable text.
  std::string groups = material.groups;
  if (!groups.empty() && SSL_CTX_set1_groups_list(context, groups.data()) != 1) {
    ERR_clear_error();
    return fail("tls-groups \"" + material.groups + "\" has a group that OpenSSL does not know", {},
                "write for example X25519:secp256r1:secp384r1");
  }
  return {};
}

Result<void> apply_dh(SSL_CTX* context, const std::string& pem) {
  if (pem.empty()) return {};
  ERR_clear_error();
  const openssl::BioPtr bio = openssl::open_text(pem);
  KeyPtr parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (parameters == nullptr || EVP_PKEY_is_a(parameters.get(), "DH") == 0) {
    ERR_clear_error();
    return fail("cannot read the Diffie-Hellman parameters of `dh`", {},
                "write `dh none`: every client since OpenVPN 2.4 uses elliptic curves");
  }
  if (SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) != 1) {
    return fail("the Diffie-Hellman parameters of `dh` are refused: " + openssl::take_errors(), {},
                "write `dh none`, or make larger ones with `openssl dhparam 2048`");
  }
  (void)parameters.release();
  return {};
}

Result<void> apply_own_certificate(SSL_CTX* context, const TlsMaterial& material) {
  auto chain = parse_certificates(material.cert_pem, material.cert_where);
  if (!chain) return std::unexpected(chain.error());
  const auto key = parse_private_key(material.key_pem, material.key_where, material.key_passphrase);
  if (!key) return std::unexpected(key.error());
  std::vector<CertificatePtr> above;
  if (!material.extra_certs_pem.empty()) {
    auto extra = parse_certificates(material.extra_certs_pem, material.extra_certs_where);
    if (!extra) return std::unexpected(extra.error());
    above = std::move(*extra);
  }

  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1) {
    return fail("the certificate is refused: " + openssl::take_errors(), material.cert_where,
                "issue a stronger one, or lower tls-cert-profile");
  }
  std::move(chain->begin() + 1, chain->end(), std::inserter(above, above.begin()));
  for (const CertificatePtr& certificate : above) {
    if (SSL_CTX_add1_chain_cert(context, certificate.get()) != 1) {
      return fail("a certificate of the chain is refused: " + openssl::take_errors(),
                  material.cert_where);
    }
  }
  if (X509_check_private_key(chain->front().get(), key->get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key->get()) != 1) {
    ERR_clear_error();
    return fail("the private key does not belong to the certificate " + material.cert_where,
                material.key_where, "`cert` and `key` must come from one request");
  }
  return {};
}

/// A client always verifies: the options that loosen this are the server's.
int verify_mode(Side side, const TlsMaterial& material) {
  if (side == Side::Client || material.require_peer_cert)
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  return material.request_peer_cert ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
}

/// What every session has, whatever the configuration: security goals B05 and A13.
void apply_fixed_policy(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify_depth(context, kChainDepthMax);
  SSL_CTX_set_max_cert_list(context, kCertificateListSizeMax);
}

}  // namespace

bool can_read_private_key(std::string_view pem, std::string_view passphrase) {
  return parse_private_key(pem, {}, passphrase).has_value();
}

Result<TlsContext> TlsContext::make(Side side, const TlsMaterial& material, UnixTime now) {
  openssl::ContextPtr context(
      SSL_CTX_new(side == Side::Server ? TLS_server_method() : TLS_client_method()));
  RW_ASSERT(context != nullptr);
  apply_fixed_policy(context.get());
  if (auto done = apply_version_min(context.get(), material.version_min); !done) {
    return std::unexpected(done.error());
  }
  // Before certificates and parameters: the level decides which of them are too weak.
  if (auto done = apply_profile(context.get(), material.cert_profile); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = apply_ciphers(context.get(), material); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = apply_dh(context.get(), material.dh_pem); !done) {
    return std::unexpected(done.error());
  }
  // A client may do without a certificate; a server may not.
  if (side == Side::Server || !material.cert_pem.empty()) {
    if (auto done = apply_own_certificate(context.get(), material); !done) {
      return std::unexpected(done.error());
    }
  }

  auto verification = TlsVerification::make(side, material, now);
  if (!verification) return std::unexpected(verification.error());
  (*verification)->attach(context.get(), verify_mode(side, material));
  return TlsContext(side, context.release(), std::move(*verification));
}

TlsContext::TlsContext(Side side, ssl_ctx_st* context,
                       std::unique_ptr<TlsVerification> verification)
    : side_(side), context_(context), verification_(std::move(verification)) {}

TlsContext::TlsContext(TlsContext&& other) noexcept
    : side_(other.side_),
      context_(std::exchange(other.context_, nullptr)),
      verification_(std::move(other.verification_)) {}

TlsContext& TlsContext::operator=(TlsContext&& other) noexcept {
  side_ = other.side_;
  std::swap(context_, other.context_);
  std::swap(verification_, other.verification_);
  return *this;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<void> TlsContext::replace_crl(const std::string& pem, UnixTime now) {
  return verification_->replace_crl(context_, pem, now);
}

std::vector<RevokedCertificate> TlsContext::revoked() const { return verification_->revoked(); }

std::optional<UnixTime> TlsContext::own_certificate_expires() const {
  const X509* certificate = SSL_CTX_get0_certificate(context_);
  if (certificate == nullptr) return std::nullopt;
  return expires_at(certificate);
}

void wipe_what_openssl_frees() {
  const int is_set = CRYPTO_set_mem_functions(
      [](std::size_t size, const char*, int) { return wiped_heap::allocate(size); },
      [](void* memory, std::size_t size, const char*, int) {
        return wiped_heap::reallocate(memory, size);
      },
      [](void* memory, const char*, int) { wiped_heap::release(memory); });
  RW_ASSERT(is_set == 1);  // Nobody was earlier.
}

}  // namespace ringway
