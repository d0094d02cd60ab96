#include "control/admission_check.h"

#include "control/channel/cipher_negotiation.h"

namespace ringway {

std::expected<ClientIdentity, Refusal> check_identity(VerifyClientCert verify,
                                                      const AuthRequested& request) {
  const PeerCertificate& certificate = request.certificate;
  if (verify == VerifyClientCert::Require && !certificate.present) {
    return std::unexpected(Refusal{.for_log = "it showed no certificate"});
  }
  // A nameless certificate would share its lease, and its place, with every other nameless one.
  if (verify != VerifyClientCert::None && certificate.present && certificate.common_name.empty()) {
    return std::unexpected(Refusal{.for_log = "its certificate has no common name"});
  }
  ClientIdentity identity{.username = request.username};
  if (certificate.present) {
    identity.common_name = certificate.common_name;
    identity.certificate = {.issuer = certificate.issuer,
                            .serial_decimal = certificate.serial_decimal};
    identity.certificate_sha256 = certificate.sha256;
  }
  return identity;
}

std::expected<void, Refusal> check_same_identity(const ClientIdentity& first,
                                                 const ClientIdentity& again) {
  if (again.common_name != first.common_name) {
    return std::unexpected(Refusal{.for_log = "the renegotiation came from another common name, " +
                                              again.common_name});
  }
  if (again.username != first.username) {
    return std::unexpected(
        Refusal{.for_log = "the renegotiation came from another user, " + again.username});
  }
  if (again != first) {
    return std::unexpected(Refusal{.for_log = "the renegotiation came with another certificate"});
  }
  return {};
}

std::expected<Admission, Refusal> choose_admission(const ServerConfig& config,
                                                   const AuthRequested& request) {
  const std::optional<DataCipher> cipher =
      negotiate_cipher(config.data_ciphers, request.peer_info, request.options);
  if (!cipher) {
    const std::string offered(request.peer_info.find("IV_CIPHERS").value_or("none"));
    return std::unexpected(Refusal{.for_client = std::string(kNoSharedCipher),
                                   .for_log = "no shared data cipher; it offers " + offered +
                                              ", data-ciphers is " +
                                              cipher_list_text(config.data_ciphers)});
  }
  return Admission{.cipher = *cipher, .tls_key_export = takes_tls_key_export(request.peer_info)};
}

}  // namespace ringway
