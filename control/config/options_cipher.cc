#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/cipher_list.h"
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

Result<void> apply_tls_crypt_v2(ConfigDraft& draft, const ConfigLine& line) {
  WrapConfig& wrap = draft.config.wrap;
  const std::size_t flag_index = line.inline_text ? 1 : 2;
  if (line.parameter_count() >= flag_index) {
    const std::string& flag = line.parameter(flag_index);
    if (flag != "force-cookie" && flag != "allow-noncookie") {
      return bad_value(line, flag_index, "force-cookie or allow-noncookie");
    }
    wrap.v2_force_cookie = flag == "force-cookie";
  }
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  if (file->path == "[inline]" && wrap.v2_key.is_inline) return {};
  wrap.v2_key = std::move(*file);
  return {};
}

Result<void> apply_tls_crypt_v2_max_age(ConfigDraft& draft, const ConfigLine& line) {
  constexpr std::uint64_t kDaysMax = 36'500;
  const auto days = number_at(line, 1, {1, kDaysMax});
  if (!days) return std::unexpected(days.error());
  draft.config.wrap.v2_age_max = 24h * *days;
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

Result<void> apply_data_ciphers(ConfigDraft& draft, const ConfigLine& line) {
  Result<std::vector<DataCipher>> ciphers = cipher_list_of(line);
  if (!ciphers) return std::unexpected(ciphers.error());
  draft.config.data_ciphers = std::move(*ciphers);
  return {};
}

Result<void> apply_data_ciphers_fallback(ConfigDraft& draft, const ConfigLine& line) {
  draft.config.data_cipher_fallback = parse_data_cipher(line.parameter(1));
  if (draft.config.data_cipher_fallback) return {};
  return refused_value(line,
                       "is refused: Ringway speaks AEAD ciphers only, so clients that know none "
                       "(OpenVPN 2.3) cannot be served",
                       "delete the line, and update those clients");
}

Result<void> apply_force_key_export(ConfigDraft& draft, const ConfigLine&) {
  draft.config.force_tls_key_export = true;
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

/// Whatever is written, what is done is `compress migrate`: a client that needs it is pushed
/// stub-v2, with which only packets that begin with byte 0x50 look different; no IP packet does.
Result<void> note_migration(ConfigDraft& draft, const ConfigLine& line) {
  draft.config.notes.push_back(
      fmt::format("{}: `{}` compresses nothing: clients with compression in their profiles are "
                  "told to do without",
                  line.where, line_text(line)));
  return {};
}

Result<void> apply_compress(ConfigDraft& draft, const ConfigLine& line) {
  constexpr std::array<std::string_view, 6> kKinds = {"migrate", "stub",   "stub-v2",
                                                      "lz4",     "lz4-v2", "lzo"};
  if (line.parameter_count() == 1 && std::ranges::find(kKinds, line.parameter(1)) == kKinds.end()) {
    return bad_value(line, 1, "migrate, stub, stub-v2, lz4, lz4-v2 or lzo");
  }
  if (line.parameter_count() == 1 && line.parameter(1) == "migrate") return {};
  return note_migration(draft, line);
}

Result<void> apply_comp_lzo(ConfigDraft& draft, const ConfigLine& line) {
  constexpr std::array<std::string_view, 3> kKinds = {"yes", "no", "adaptive"};
  if (line.parameter_count() == 1 && std::ranges::find(kKinds, line.parameter(1)) == kKinds.end()) {
    return bad_value(line, 1, "yes, no or adaptive");
  }
  return note_migration(draft, line);
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
    works_inline("tls-crypt-v2", "FILE [force-cookie|allow-noncookie]", {0, 2}, apply_tls_crypt_v2,
                 "Control packets are encrypted by a key of each client's own, which the client "
                 "shows wrapped under this key of the server's (`ringway genkey`). `tls-crypt` or "
                 "`tls-auth` may stand beside it for clients without such a key. `force-cookie` "
                 "refuses clients before 2.6, for which at most 256 handshakes are kept for 10 "
                 "seconds before the client has proven its address."),
    works("tls-crypt-v2-max-age", "DAYS", {1, 1}, apply_tls_crypt_v2_max_age,
          "Refuses clients whose own key was made longer ago, or does not say when."),
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
          "The cipher of clients that say nothing of theirs at all (`ncp-disable` with "
          "`disable-occ`): an AEAD. Others are refused, as Ringway does not speak them."),
    works("force-tls-key-material-export", "", {0, 0}, apply_force_key_export,
          "Refuses clients that cannot take their data keys from the TLS exporter (RFC 5705): "
          "OpenVPN 2.5 and older. Newer ones use it without this line, too."),
    works("aead-engine", "auto|ipsec-mb|openssl|libsodium", {1, 1}, apply_aead_engine,
          "Ringway's own: the library that computes the data ciphers; by default the one that a "
          "measurement at start finds fastest for each of them."),
    works("compress", "[migrate|stub|stub-v2|lz4|lz4-v2|lzo]", {0, 1}, apply_compress,
          "Always as with `migrate`: nothing is compressed, because that leaks what is encrypted "
          "(VORACLE), and a client whose profile has `comp-lzo` or `compress` is pushed `compress "
          "stub-v2`, which takes it out of that."),
    works("comp-lzo", "[yes|no|adaptive]", {0, 1}, apply_comp_lzo,
          "As `compress migrate`, whatever it says."),
    no_effect("keysize", "is fixed by the cipher"),
    no_effect("ncp-disable", "is gone since OpenVPN 2.6; ciphers are always negotiated"),
    no_effect("allow-compression", "cannot allow any: Ringway never compresses"),
    no_effect("comp-noadapt", "has nothing to adapt: Ringway never compresses"),
    no_effect("replay-window", "is fixed at 1984 packets, whatever their age"),
    no_effect("mute-replay-warnings", "mutes nothing: replayed packets are counted, not logged"),
    no_effect("disable-occ", "changes nothing: the clients' option strings are never enforced"),
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
