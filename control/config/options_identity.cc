#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// What a certificate must be like beyond its signature, and what it names its owner.
namespace ringway {
namespace {

constexpr std::size_t kFingerprintsMax = 16384;

/// "AB:CD:.." or "abcd.."; nothing for anything else.
std::optional<std::vector<std::uint8_t>> digest_of(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  while (!text.empty()) {
    if (!bytes.empty() && text.front() == ':') text.remove_prefix(1);
    std::uint8_t byte = 0;
    const std::string_view digits = text.substr(0, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
    bytes.push_back(byte);
    text.remove_prefix(2);
  }
  return bytes;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Result<void> apply_remote_cert_tls(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) == "client") {
    draft.config.tls.remote_cert_tls = true;
    return {};
  }
  if (line.parameter(1) != "server") return bad_value(line, 1, "client");
  return refused_value(line, "would demand a server's certificate of each client",
                       "write `remote-cert-tls client`; the other belongs in the clients");
}

Result<void> apply_verify_x509_name(ConfigDraft& draft, const ConfigLine& line) {
  TlsConfig& tls = draft.config.tls;
  if (line.parameter(1).empty()) return bad_value(line, 1, "the name of the other side");
  const std::string type = line.parameter_count() == 2 ? line.parameter(2) : "subject";
  if (type == "subject") {
    tls.peer_name_match = PeerNameMatch::Subject;
  } else if (type == "name") {
    tls.peer_name_match = PeerNameMatch::CommonName;
  } else if (type == "name-prefix") {
    tls.peer_name_match = PeerNameMatch::CommonNamePrefix;
  } else {
    return bad_value(line, 2, "subject, name or name-prefix");
  }
  tls.peer_name = line.parameter(1);
  return {};
}

Result<void> apply_remote_cert_ku(ConfigDraft& draft, const ConfigLine& line) {
  PeerRules& rules = draft.config.tls.rules;
  rules.needs_key_usage = true;
  rules.key_usages.clear();
  for (std::size_t i = 1; i <= line.parameter_count(); ++i) {
    const std::string& text = line.parameter(i);
    std::uint16_t usage = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), usage, 16);
    if (error != std::errc{} || end != text.data() + text.size() || usage == 0) {
      return bad_value(line, i, "bits in hexadecimal, for example 80 for digitalSignature");
    }
    rules.key_usages.push_back(usage);
  }
  return {};
}

Result<void> apply_remote_cert_eku(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "a usage, for example clientAuth");
  draft.config.tls.rules.extended_key_usage = line.parameter(1);
  return {};
}

Result<void> add_fingerprint(PeerRules& rules, std::string_view text, const ConfigLine& line) {
  const auto bytes = digest_of(text);
  CertificateDigest digest{};
  if (!bytes || bytes->size() != digest.size()) {
    return fail(fmt::format("`peer-fingerprint`: `{}` is no SHA-256 fingerprint", text), line.where,
                "write 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256 -noout -in "
                "FILE` prints them");
  }
  if (rules.fingerprints.size() == kFingerprintsMax) {
    return fail(fmt::format("`peer-fingerprint`: more than {} of them", kFingerprintsMax),
                line.where, "let an authority sign the clients, and write `ca FILE`");
  }
  std::ranges::copy(*bytes, digest.begin());
  rules.fingerprints.push_back(digest);
  return {};
}

/// Adds to what earlier lines listed, as with OpenVPN.
Result<void> apply_peer_fingerprint(ConfigDraft& draft, const ConfigLine& line) {
  PeerRules& rules = draft.config.tls.rules;
  if (!line.inline_text) {
    if (line.parameter_count() == 0) {
      return fail("`peer-fingerprint` names no certificate", line.where,
                  "write `peer-fingerprint HEX`, or <peer-fingerprint>...</peer-fingerprint> with "
                  "one a line");
    }
    if (line.parameter(1) == "[inline]") return {};
    return add_fingerprint(rules, line.parameter(1), line);
  }
  std::string_view rest = *line.inline_text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = without_blanks(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.empty() || text.front() == '#' || text.front() == ';') continue;
    if (auto added = add_fingerprint(rules, text, line); !added) return added;
  }
  return {};
}

Result<void> apply_verify_hash(ConfigDraft& draft, const ConfigLine& line) {
  if (!line.inline_text && line.parameter_count() == 0) {
    return fail("`verify-hash` names no certificate", line.where, "write `verify-hash HEX SHA256`");
  }
  const std::string_view text =
      line.inline_text
          ? without_blanks(
                std::string_view(*line.inline_text).substr(0, line.inline_text->find('\n')))
          : std::string_view(line.parameter(1));
  const std::size_t kind_at = line.inline_text ? 1 : 2;
  const std::string kind =
      line.parameter_count() >= kind_at ? to_lower(line.parameter(kind_at)) : "";
  if (!kind.empty() && kind != "sha1" && kind != "sha256") {
    return bad_value(line, kind_at, "SHA256 or SHA1");
  }
  const auto digest = digest_of(text);
  const std::size_t size = digest ? digest->size() : 0;
  // Which is the default has changed between versions of OpenVPN, and the length tells.
  if ((size != 20 && size != 32) || (kind == "sha1" && size != 20) ||
      (kind == "sha256" && size != 32)) {
    return fail(fmt::format("`verify-hash`: `{}` is no fingerprint of a certificate", text),
                line.where, "write 40 hexadecimal digits for SHA1, or 64 and `SHA256`");
  }
  draft.config.tls.rules.issuer_digest = *digest;
  return {};
}

Result<void> apply_x509_username_field(ConfigDraft& draft, const ConfigLine& line) {
  std::vector<std::string>& fields = draft.config.tls.rules.name_fields;
  fields.clear();
  for (std::size_t i = 1; i <= line.parameter_count(); ++i) {
    if (line.parameter(i).empty()) return bad_value(line, i, "a certificate's field, e.g. CN");
    fields.push_back(line.parameter(i));
  }
  return {};
}

constexpr std::array kRows = {
    works("remote-cert-tls", "client", {1, 1}, apply_remote_cert_tls,
          "Client certificates must carry a key usage and the client's extended key usage."),
    works("remote-cert-ku", "[HEX ...]", {0, 8}, apply_remote_cert_ku,
          "Client certificates must carry a key usage, with all bits of one of these; 80 is "
          "digitalSignature, 8 keyAgreement."),
    works("remote-cert-eku", "USAGE", {1, 1}, apply_remote_cert_eku,
          "Client certificates must carry this extended key usage, by OpenSSL's name or by "
          "number."),
    works("verify-x509-name", "NAME [subject|name|name-prefix]", {1, 2}, apply_verify_x509_name,
          "Client certificates must have this subject (`C=.., CN=..`), this name, or one that "
          "begins so."),
    works_inline("peer-fingerprint", "HEX", {0, 1}, apply_peer_fingerprint,
                 "The certificate must be one of these, by SHA-256; may be repeated, or be a block "
                 "with one a line. Without `ca` it decides alone, whoever signed the certificate "
                 "and whatever its dates are."),
    works_inline("verify-hash", "HEX [SHA1|SHA256]", {0, 2}, apply_verify_hash,
                 "The certificate that signed the client's must be this one."),
    works("x509-username-field", "FIELD ...", {1, 8}, apply_x509_username_field,
          "What names a client in place of CN: a field of the subject, `serialNumber`, or the "
          "e-mail address of `ext:subjectAltName` or `ext:issuerAltName`; several are joined by "
          "`_`."),
};

}  // namespace

std::span<const OptionRow> identity_options() { return kRows; }

}  // namespace ringway
