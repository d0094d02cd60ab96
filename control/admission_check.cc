#include "control/admission_check.h"

#include "control/channel/cipher_negotiation.h"
#include "control/channel/options_string.h"

namespace ringway {

std::expected<ClientIdentity, Refusal> check_identity(const ServerConfig& config,
                                                      const AuthRequested& request) {
  const PeerCertificate& certificate = request.certificate;
  const VerifyClientCert verify = config.tls.verify_client_cert;
  if (verify == VerifyClientCert::Require && !certificate.present) {
    return std::unexpected(Refusal{.for_log = "it showed no certificate"});
  }
  // A nameless certificate would share its lease, and its place, with every other nameless one.
  if (verify != VerifyClientCert::None && certificate.present && certificate.common_name.empty()) {
    return std::unexpected(Refusal{.for_log = "its certificate has no common name"});
  }
  const ProgramConfig& programs = config.programs;
  if (programs.password.is_set() && !programs.password_optional && request.username.empty()) {
    return std::unexpected(Refusal{.for_log = "it gave no user name and no password"});
  }
  ClientIdentity identity{.username = request.username};
  if (certificate.present) {
    identity.common_name = certificate.common_name;
    identity.certificate = {.issuer = certificate.issuer,
                            .serial_decimal = certificate.serial_decimal};
    identity.certificate_sha256 = certificate.sha256;
  }
  if (programs.username_as_common_name && !request.username.empty()) {
    identity.common_name = request.username;
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

std::expected<void, Refusal> check_same_offer(const Admission& first, const PeerInfo& again) {
  if (!first.tls_key_export || takes_tls_key_export(again)) return {};
  return std::unexpected(
      Refusal{.for_log = "the renegotiation offers no keys by TLS export (IV_PROTO), and the first "
                         "negotiation did"});
}

std::expected<Admission, Refusal> choose_admission(const ServerConfig& config,
                                                   const AuthRequested& request) {
  const std::optional<DataCipher> cipher = negotiate_cipher(
      config.data_ciphers, config.data_cipher_fallback, request.peer_info, request.options);
  if (!cipher) {
    const std::string offered(request.peer_info.find("IV_CIPHERS").value_or("none"));
    return std::unexpected(Refusal{.for_client = std::string(kNoSharedCipher),
                                   .for_log = "no shared data cipher; it offers " + offered +
                                              ", data-ciphers is " +
                                              cipher_list_text(config.data_ciphers)});
  }
  if (config.force_tls_key_export && !takes_tls_key_export(request.peer_info)) {
    return std::unexpected(
        Refusal{.for_client = "Update OpenVPN: its data keys cannot come from TLS",
                .for_log = "it offers no keys by TLS export (IV_PROTO), and "
                           "force-tls-key-material-export asks for them"});
  }
  const bool is_framed = frames_compression(request.options);
  if (is_framed && request.peer_info.find("IV_COMP_STUBv2") != "1") {
    return std::unexpected(
        Refusal{.for_client = "Delete comp-lzo and compress from the profile",
                .for_log = "its profile has comp-lzo or compress, and it does not know the "
                           "`compress stub-v2` that would take it out of that"});
  }
  return Admission{.cipher = *cipher,
                   .tls_key_export = takes_tls_key_export(request.peer_info),
                   .dynamic_tls_crypt = request.peer_info.has(ProtoBit::DynamicTlsCrypt),
                   .ends_compression = is_framed,
                   .data_epochs = takes_data_epochs(request.peer_info)};
}

}  // namespace ringway
