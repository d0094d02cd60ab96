#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// The protection of control packets and the ciphers of the data channel.
namespace ringway {
namespace {

Result<int> direction_at(const ConfigLine& line, std::size_t index) {
  const auto direction = number_at(line, index, {0, 1});
  if (!direction) return std::unexpected(direction.error());
  return static_cast<int>(*direction);
}

Result<void> apply_tls_auth(ConfigDraft& draft, const ConfigLine& line) {
  const std::size_t direction_index = line.inline_text ? 1 : 2;
  if (line.parameter_count() >= direction_index) {
    const Result<int> direction = direction_at(line, direction_index);
    if (!direction) return std::unexpected(direction.error());
    draft.tls_auth_direction = *direction;
  }
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  if (file->path == "[inline]" && draft.tls_auth.is_inline) return {};
  draft.tls_auth = std::move(*file);
  return {};
}

Result<void> apply_key_direction(ConfigDraft& draft, const ConfigLine& line) {
  const Result<int> direction = direction_at(line, 1);
  if (!direction) return std::unexpected(direction.error());
  draft.key_direction = *direction;
  return {};
}

Result<void> apply_tls_crypt(ConfigDraft& draft, const ConfigLine& line) {
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  if (file->path == "[inline]" && draft.tls_crypt.is_inline) return {};
  draft.tls_crypt = std::move(*file);
  return {};
}

std::optional<Digest> parse_digest(std::string_view name) {
  std::string digest = to_lower(name);
  if (digest.starts_with("rsa-")) digest.erase(0, 4);
  std::erase(digest, '-');
  if (digest == "sha1") return Digest::Sha1;
  if (digest == "sha224" || digest == "sha2224") return Digest::Sha224;
  if (digest == "sha256" || digest == "sha2256") return Digest::Sha256;
  if (digest == "sha384" || digest == "sha2384") return Digest::Sha384;
  if (digest == "sha512" || digest == "sha2512") return Digest::Sha512;
  return std::nullopt;
}

Result<void> apply_auth(ConfigDraft& draft, const ConfigLine& line) {
  draft.auth = parse_digest(line.parameter(1));
  draft.auth_unknown = draft.auth ? "" : line.parameter(1);
  return {};
}

constexpr std::string_view kCipherList = "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305";

struct CipherList {
  std::vector<DataCipher> ciphers;
  /// Names without `?` that Ringway does not speak.
  std::vector<std::string> unknown;
};

void append_ciphers(CipherList& list, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    if (name == "DEFAULT") {
      append_ciphers(list, kCipherList);
      continue;
    }
    const bool is_optional = name.starts_with('?');
    if (is_optional) name.remove_prefix(1);
    const auto cipher = parse_data_cipher(name);
    if (cipher && std::ranges::find(list.ciphers, *cipher) == list.ciphers.end()) {
      list.ciphers.push_back(*cipher);
    } else if (!cipher && !is_optional) {
      list.unknown.emplace_back(name);
    }
  }
}

std::string join_ciphers(const std::vector<DataCipher>& ciphers) {
  std::string text;
  for (const DataCipher cipher : ciphers) {
    if (!text.empty()) text += ':';
    text += name_of(cipher);
  }
  return text;
}

Result<void> apply_data_ciphers(ConfigDraft& draft, const ConfigLine& line) {
  CipherList list;
  append_ciphers(list, line.parameter(1));
  const std::string usable =
      list.ciphers.empty() ? std::string(kCipherList) : join_ciphers(list.ciphers);
  if (!list.unknown.empty()) {
    return fail(
        fmt::format("`{}` names {}, which Ringway does not speak: all data ciphers are "
                    "AEADs",
                    line.name(), list.unknown.front()),
        line.where,
        fmt::format("write `{} {}`; who knows none of them cannot connect", line.name(), usable));
  }
  if (list.ciphers.empty()) {
    return fail(fmt::format("`{}` names no cipher", line.name()), line.where,
                fmt::format("write `{} {}`", line.name(), usable));
  }
  draft.config.data_ciphers = std::move(list.ciphers);
  return {};
}

Result<void> apply_data_ciphers_fallback(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& name = line.parameter(1);
  if (!parse_data_cipher(name)) {
    return refused_value(line,
                         "is refused: Ringway speaks AEAD ciphers only, so clients that cannot "
                         "negotiate (OpenVPN 2.3, `ncp-disable`) cannot be served",
                         "delete the line, and update those clients");
  }
  draft.config.notes.push_back(fmt::format(
      "{}: `{}` has no effect: the cipher comes from `data-ciphers`", line.where, line_text(line)));
  return {};
}

Result<void> apply_cipher(ConfigDraft& draft, const ConfigLine& line) {
  if (to_lower(line.parameter(1)) == "none") {
    return refused_value(line, "would leave the tunnel unencrypted",
                         "delete the line; `data-ciphers` names the ciphers that are negotiated");
  }
  draft.config.notes.push_back(
      fmt::format("{}: `{}` has no effect: the cipher is negotiated from `data-ciphers`",
                  line.where, line_text(line)));
  return {};
}

Result<void> apply_aead_engine(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& name = line.parameter(1);
  draft.config.aead_engine = parse_aead_engine(name);
  if (draft.config.aead_engine || name == "auto") return {};
  return bad_value(line, 1, "auto, ipsec-mb, openssl or libsodium");
}

constexpr std::string_view kStub =
    "is refused: it changes the format of every packet, and clients that say the same could not "
    "talk to Ringway";
constexpr std::string_view kStubInstead =
    "delete the line here and in the clients, or write `push \"compress stub-v2\"` in its place "
    "for clients that keep theirs";

Result<void> apply_compress(ConfigDraft& draft, const ConfigLine& line) {
  // With stub-v2 only packets that begin with byte 0x50 look different, and no IP packet does.
  if (line.parameter_count() == 0 || line.parameter(1) != "stub-v2") {
    return refused_value(line, std::string(kStub), std::string(kStubInstead));
  }
  draft.config.notes.push_back(
      fmt::format("{}: `compress stub-v2` has no effect: nothing is compressed, and IP packets "
                  "look the same with and without it",
                  line.where));
  return {};
}

constexpr std::string_view kNoStaticKeys =
    "is refused: Ringway has no tunnels without TLS, and OpenVPN drops them too";

constexpr std::array kRows = {
    works_inline("tls-auth", "FILE [0|1]", {0, 2}, apply_tls_auth,
                 "Control packets carry an HMAC by this key; the direction may also be given by "
                 "`key-direction`."),
    works("key-direction", "0|1", {1, 1}, apply_key_direction,
          "Which half of the `tls-auth` key sends: 0 on the server when clients have 1."),
    works_inline("tls-crypt", "FILE", {0, 1}, apply_tls_crypt,
                 "Control packets are encrypted by this key."),
    works("auth", "DIGEST", {1, 1}, apply_auth,
          "Digest of `tls-auth`: SHA1 (the default), SHA224, SHA256, SHA384 or SHA512. The data "
          "channel needs none."),
    works("data-ciphers", "LIST", {1, 1}, apply_data_ciphers,
          "Ciphers to choose from, the best first, separated by `:`: AES-256-GCM, AES-128-GCM, "
          "CHACHA20-POLY1305, or `DEFAULT` for these three. A name after `?` may be unknown."),
    works("ncp-ciphers", "LIST", {1, 1}, apply_data_ciphers,
          "The name of `data-ciphers` in OpenVPN 2.4."),
    works("cipher", "NAME", {1, 1}, apply_cipher,
          "Accepted without effect, as the cipher is negotiated from `data-ciphers`; `none` is "
          "refused."),
    works("data-ciphers-fallback", "NAME", {1, 1}, apply_data_ciphers_fallback,
          "An AEAD is accepted without effect; others are refused, as Ringway does not speak "
          "them."),
    works("aead-engine", "auto|ipsec-mb|openssl|libsodium", {1, 1}, apply_aead_engine,
          "Ringway's own: the library that computes the data ciphers; by default the one that a "
          "measurement at start finds fastest for each of them."),
    works("compress", "stub-v2", {0, 1}, apply_compress,
          "Only `stub-v2`, which changes nothing for IP packets. All else is refused: compression "
          "leaks what is encrypted (VORACLE), and its framing is another packet format."),
    no_effect("keysize", "is fixed by the cipher"),
    no_effect("ncp-disable", "is gone since OpenVPN 2.6; ciphers are always negotiated"),
    no_effect("allow-compression", "cannot allow any: Ringway never compresses"),
    no_effect("comp-noadapt", "has nothing to adapt: Ringway never compresses"),
    no_effect("replay-window", "is fixed at 1984 packets, whatever their age"),
    no_effect("mute-replay-warnings", "mutes nothing: replayed packets are counted, not logged"),
    no_effect("disable-occ", "changes nothing: the clients' option strings are never enforced"),
    refused("comp-lzo", kStub, kStubInstead),
    refused("tls-crypt-v2", "is not served yet: clients with such keys could not connect",
            "write `tls-crypt FILE` or `tls-auth FILE 0`, here and in the clients"),
    refused("tls-crypt-v2-verify", "belongs to `tls-crypt-v2`, which is not served yet",
            "delete the line"),
    refused("tls-crypt-v2-max-age", "belongs to `tls-crypt-v2`, which is not served yet",
            "delete the line"),
    refused("secret", kNoStaticKeys, "write `ca`, `cert` and `key`"),
    refused("allow-deprecated-insecure-static-crypto", kNoStaticKeys, "delete the line"),
    refused("no-replay", "would accept replayed packets", "delete the line"),
    refused("no-iv", "would weaken the ciphers; OpenVPN dropped it in 2.5", "delete the line"),
    refused("replay-persist", "is not served: replay state is kept in memory",
            "delete the line; a replayed handshake cannot finish without the private key"),
};

}  // namespace

std::span<const OptionRow> cipher_options() { return kRows; }

}  // namespace ringway
