#include <fmt/format.h>

#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// Certificates and TLS policy.
namespace ringway {
namespace {

Result<void> store_file(FileOrInline& file, const ConfigLine& line) {
  Result<FileOrInline> given = file_of(line);
  if (!given) return std::unexpected(given.error());
  // `ca [inline]` announces a block, in front of it or behind it.
  if (given->path == "[inline]" && file.is_inline) return {};
  file = std::move(*given);
  return {};
}

Result<void> apply_ca(ConfigDraft& draft, const ConfigLine& line) {
  return store_file(draft.config.tls.ca, line);
}
Result<void> apply_cert(ConfigDraft& draft, const ConfigLine& line) {
  return store_file(draft.config.tls.cert, line);
}
Result<void> apply_key(ConfigDraft& draft, const ConfigLine& line) {
  return store_file(draft.config.tls.key, line);
}

Result<void> apply_extra_certs(ConfigDraft& draft, const ConfigLine& line) {
  return store_file(draft.config.tls.extra_certs, line);
}

Result<void> apply_capath(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "a directory");
  draft.config.tls.ca_directory = {.path = line.parameter(1), .where = line.where};
  return {};
}

Result<void> apply_askpass(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 0) {
    return refused_value(line, "would ask on a terminal, where a server has nobody",
                         "write `askpass FILE` with a file whose first line is the passphrase");
  }
  return store_file(draft.config.tls.key_passphrase, line);
}

Result<void> apply_dh(ConfigDraft& draft, const ConfigLine& line) {
  if (!line.inline_text && line.parameter_count() == 1 && line.parameter(1) == "none") {
    draft.config.tls.dh = {};
    return {};
  }
  return store_file(draft.config.tls.dh, line);
}

Result<void> apply_crl_verify(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 2 && line.parameter(2) != "dir") {
    return bad_value(line, 2, "dir or nothing");
  }
  draft.config.tls.crl_is_directory = line.parameter_count() == 2;
  return store_file(draft.config.tls.crl, line);
}

Result<void> apply_tls_version_min(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& version = line.parameter(1);
  if (line.parameter_count() == 2 && line.parameter(2) != "or-highest") {
    return bad_value(line, 2, "or-highest or nothing");
  }
  if (version != "1.0" && version != "1.1" && version != "1.2" && version != "1.3") {
    return bad_value(line, 1, "1.2 or 1.3");
  }
  const bool is_old = version == "1.0" || version == "1.1";
  draft.config.tls.version_min = is_old ? "1.2" : version;
  if (is_old) {
    draft.config.notes.push_back(fmt::format("{}: `{}` means 1.2: Ringway speaks no older TLS",
                                             line.where, line_text(line)));
  }
  return {};
}

Result<void> apply_tls_version_max(ConfigDraft&, const ConfigLine& line) {
  const std::string& version = line.parameter(1);
  if (version == "1.3") return {};
  if (version != "1.0" && version != "1.1" && version != "1.2") return bad_value(line, 1, "1.3");
  return refused_value(line, "is refused: Ringway always offers TLS 1.3 as well as 1.2",
                       "delete the line; peers that know 1.2 only use 1.2");
}

/// Cipher and group lists: checked by the TLS library when the server starts.
Result<std::string> list_at(const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "names separated by `:`");
  return line.parameter(1);
}

Result<void> apply_tls_groups(ConfigDraft& draft, const ConfigLine& line) {
  Result<std::string> list = list_at(line);
  if (!list) return std::unexpected(list.error());
  draft.config.tls.groups = std::move(*list);
  return {};
}

Result<void> apply_ecdh_curve(ConfigDraft& draft, const ConfigLine& line) {
  Result<std::string> list = list_at(line);
  if (!list) return std::unexpected(list.error());
  draft.ecdh_curve = std::move(*list);
  return {};
}

Result<void> apply_tls_cipher(ConfigDraft& draft, const ConfigLine& line) {
  Result<std::string> list = list_at(line);
  if (!list) return std::unexpected(list.error());
  draft.config.tls.cipher_list = std::move(*list);
  return {};
}

Result<void> apply_tls_ciphersuites(ConfigDraft& draft, const ConfigLine& line) {
  Result<std::string> list = list_at(line);
  if (!list) return std::unexpected(list.error());
  draft.config.tls.ciphersuites = std::move(*list);
  return {};
}

Result<void> apply_tls_cert_profile(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& profile = line.parameter(1);
  if (profile != "insecure" && profile != "legacy" && profile != "preferred" &&
      profile != "suiteb") {
    return bad_value(line, 1, "legacy, preferred, suiteb or insecure");
  }
  draft.config.tls.cert_profile = profile;
  return {};
}

Result<void> apply_verify_client_cert(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& mode = line.parameter(1);
  if (mode == "require") {
    draft.config.tls.verify_client_cert = VerifyClientCert::Require;
  } else if (mode == "optional") {
    draft.config.tls.verify_client_cert = VerifyClientCert::Optional;
  } else if (mode == "none") {
    draft.config.tls.verify_client_cert = VerifyClientCert::None;
  } else {
    return bad_value(line, 1, "require, optional or none");
  }
  return {};
}

constexpr std::string_view kHardwareKeys =
    "is not served: Ringway reads the private key from a file";
constexpr std::string_view kPemFiles = "write `cert FILE` and `key FILE` with PEM files";

constexpr std::array kRows = {
    works_inline("ca", "FILE", {0, 1}, apply_ca, "Authorities that sign clients, PEM."),
    works_inline("cert", "FILE", {0, 1}, apply_cert,
                 "The server's certificate, followed by the intermediate ones, PEM."),
    works_inline("key", "FILE", {0, 1}, apply_key, "Its private key, PEM."),
    works("askpass", "FILE", {0, 1}, apply_askpass,
          "The passphrase of an encrypted `key`: the file's first line. Nobody is asked on a "
          "terminal."),
    works_inline("extra-certs", "FILE", {0, 1}, apply_extra_certs,
                 "Certificates that are sent behind our own, PEM."),
    works("capath", "DIRECTORY", {1, 1}, apply_capath,
          "More authorities: the certificates of the directory that `openssl rehash` has given "
          "names (`1a2b3c4d.0`), read once at start. Revocation lists go into `crl-verify`."),
    works_inline("dh", "FILE|none", {0, 1}, apply_dh,
                 "Parameters for DHE; without them ECDHE alone is offered, which every client "
                 "since 2.4 speaks."),
    works_inline("crl-verify", "FILE | DIRECTORY dir", {0, 2}, apply_crl_verify,
                 "Revoked certificates. With `dir`, a file named by a certificate's serial number "
                 "in decimal revokes it."),
    works("tls-version-min", "1.2|1.3 [or-highest]", {1, 2}, apply_tls_version_min,
          "Oldest TLS; 1.2 by default. 1.0 and 1.1 mean 1.2."),
    works("tls-version-max", "1.3", {1, 1}, apply_tls_version_max,
          "Only 1.3, which is what holds without it."),
    works("tls-groups", "LIST", {1, 1}, apply_tls_groups,
          "Key exchange groups, separated by `:`; the library's by default."),
    works("ecdh-curve", "NAME", {1, 1}, apply_ecdh_curve,
          "The same as `tls-groups`, which wins when both are given."),
    works("tls-cipher", "LIST", {1, 1}, apply_tls_cipher,
          "Cipher suites of TLS 1.2, names of OpenSSL or IANA, separated by `:`."),
    works("tls-ciphersuites", "LIST", {1, 1}, apply_tls_ciphersuites,
          "Cipher suites of TLS 1.3, separated by `:`."),
    works("tls-cert-profile", "legacy|preferred|suiteb|insecure", {1, 1}, apply_tls_cert_profile,
          "How strong keys and signatures must be; `legacy` by default."),
    works("verify-client-cert", "require|optional|none", {1, 1}, apply_verify_client_cert,
          "A client must show a certificate. `optional` and `none` need `auth-user-pass-verify`: "
          "something must prove who a client is."),
    no_effect("tls-server", "is what Ringway always is"),
    no_effect("key-method", "is 2, the only one there is"),
    no_effect("prng", "is gone since OpenVPN 2.6; random numbers come from the kernel"),
    no_effect("use-prediction-resistance", "is for mbed TLS; random numbers come from the kernel"),
    no_effect("x509-track", "is not needed: programs see the whole subject of each certificate"),
    refused("client-cert-not-required", "is gone since OpenVPN 2.5",
            "write `verify-client-cert none`"),
    refused("ns-cert-type", "relies on an extension that authorities no longer issue",
            "write `remote-cert-tls client`"),
    refused("tls-remote", "is gone since OpenVPN 2.4", "delete the line"),
    refused("pkcs12", "is not served",
            "split the file (openssl pkcs12 -in FILE -nodes), and write `ca`, `cert` and `key`"),
    refused("cryptoapicert", "is for Windows", kPemFiles),
    refused("pkcs11-cert-private", kHardwareKeys, kPemFiles),
    refused("pkcs11-id", kHardwareKeys, kPemFiles),
    refused("pkcs11-id-management", kHardwareKeys, kPemFiles),
    refused("pkcs11-pin-cache", kHardwareKeys, kPemFiles),
    refused("pkcs11-private-mode", kHardwareKeys, kPemFiles),
    refused("pkcs11-protected-authentication", kHardwareKeys, kPemFiles),
    refused("pkcs11-providers", kHardwareKeys, kPemFiles),
    refused("engine", "is not served: Ringway chooses its engines by measurement",
            "delete the line"),
    refused("providers", "is not served: Ringway uses OpenSSL's default provider",
            "delete the line, or load providers in openssl.cnf"),
    refused("tls-export-cert", "is not served yet: programs would find no `peer_cert`",
            "let the program decide by tls_digest_sha256_0 or X509_0_CN, and delete the line"),
    refused("single-session", "is for a tunnel between two peers", "delete the line"),
    refused("tls-exit", "would stop the server for every client when one handshake fails",
            "delete the line"),
    refused("opt-verify",
            "would refuse clients for differences that do not matter; OpenVPN drops "
            "it too",
            "delete the line"),
    refused("keying-material-exporter", "hands key material to plugins, and none are loaded",
            "delete the line"),
};

}  // namespace

std::span<const OptionRow> tls_options() { return kRows; }

}  // namespace ringway
