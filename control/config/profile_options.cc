#include <fmt/format.h>

#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// What works in a client's profile.
namespace ringway {
namespace {

Result<void> apply_remote_cert_tls(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) != "server") return bad_value(line, 1, "server");
  draft.config.tls.remote_cert_tls = true;
  return {};
}

/// The server's flags say nothing to a client.
Result<void> apply_own_key(ConfigDraft& draft, const ConfigLine& line) {
  return find_option(line.name(), ConfigKind::Server)->apply(draft, line);
}

Result<void> apply_ping_restart(ConfigDraft& draft, const ConfigLine& line) {
  draft.profile.lifetime.ping_exits = line.name() == "ping-exit";
  return find_option("ping-restart", ConfigKind::Server)->apply(draft, line);
}

Result<void> apply_inactive(ConfigDraft& draft, const ConfigLine& line) {
  const auto seconds = seconds_at(line, 1, {0, kSecondsMax});
  if (!seconds) return std::unexpected(seconds.error());
  draft.profile.lifetime.inactive = *seconds;
  draft.profile.lifetime.inactive_bytes = 0;
  if (line.parameter_count() == 1) return {};
  const auto bytes = number_at(line, 2, {0, UINT64_MAX});
  if (!bytes) return std::unexpected(bytes.error());
  draft.profile.lifetime.inactive_bytes = *bytes;
  return {};
}

Result<void> apply_session_timeout(ConfigDraft& draft, const ConfigLine& line) {
  const auto seconds = seconds_at(line, 1, {0, kSecondsMax});
  if (!seconds) return std::unexpected(seconds.error());
  draft.profile.lifetime.session = *seconds;
  return {};
}

/// Ringway's client always tells its ciphers.
Result<void> apply_fallback(ConfigDraft& draft, const ConfigLine& line) {
  const auto applied = find_option(line.name(), ConfigKind::Server)->apply(draft, line);
  if (!applied) return applied;
  draft.config.notes.push_back(fmt::format(
      "{}: `{}` has no effect: the cipher comes from `data-ciphers`", line.where, line_text(line)));
  return {};
}

Result<void> apply_compress(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 0 || line.parameter(1) != "stub-v2") {
    return refused_value(
        line,
        "is refused: it changes the format of every packet, and compression leaks what is "
        "encrypted",
        "delete the line here and at the server");
  }
  draft.config.notes.push_back(
      fmt::format("{}: `compress stub-v2` has no effect: nothing is compressed, and IP packets "
                  "look the same with and without it",
                  line.where));
  return {};
}

}  // namespace

std::span<const OptionRow> profile_tls_options() {
  static const std::array kRows = {
      as_on_servers("ca", "Authorities that sign the server, PEM."),
      as_on_servers("cert", "The client's certificate, followed by the intermediate ones, PEM."),
      as_on_servers("key", "Its private key, PEM; a passphrase is asked for, or `askpass` has it."),
      as_on_servers("crl-verify", ""),
      works("remote-cert-tls", "server", {1, 1}, apply_remote_cert_tls,
            "The server's certificate must carry a key usage and a server's extended key usage."),
      as_on_servers("verify-x509-name",
                    "The server's certificate must have this subject (`C=.., CN=..`), this common "
                    "name, or a common name that begins so."),
      as_on_servers("remote-cert-ku",
                    "The server's certificate must carry a key usage, with all bits of one of "
                    "these; a0 is digitalSignature and keyEncipherment."),
      as_on_servers("remote-cert-eku",
                    "The server's certificate must carry this extended key usage, by OpenSSL's "
                    "name or by number."),
      as_on_servers("peer-fingerprint",
                    "The server's certificate must be one of these, by SHA-256; may be repeated, "
                    "or be a block with one a line. Without `ca` it decides alone, whoever signed "
                    "the certificate and whatever its dates are."),
      as_on_servers("verify-hash", "The certificate that signed the server's must be this one."),
      as_on_servers("extra-certs", ""),
      as_on_servers("tls-version-min", ""),
      as_on_servers("tls-version-max", ""),
      as_on_servers("tls-groups", ""),
      as_on_servers("ecdh-curve", ""),
      as_on_servers("tls-cipher", ""),
      as_on_servers("tls-ciphersuites", ""),
      as_on_servers("tls-cert-profile", ""),
      as_on_servers("tls-auth", ""),
      as_on_servers("key-direction",
                    "Which half of the `tls-auth` key sends: 1 when the server has 0."),
      as_on_servers("tls-crypt", ""),
      works_inline("tls-crypt-v2", "FILE", {0, 1}, apply_own_key,
                   "Control packets are encrypted by this key of the client's own, in place of "
                   "`tls-crypt` or `tls-auth`."),
      as_on_servers("auth", ""),
      as_on_servers("data-ciphers",
                    "Ciphers to offer, the best first, separated by `:`: AES-256-GCM, AES-128-GCM, "
                    "CHACHA20-POLY1305, or `DEFAULT` for these three. A name after `?` may be "
                    "unknown."),
      as_on_servers("ncp-ciphers", ""),
      as_on_servers("cipher", ""),
      works("data-ciphers-fallback", "NAME", {1, 1}, apply_fallback,
            "An AEAD is accepted without effect; others are refused, as Ringway does not speak "
            "them."),
      works("compress", "stub-v2", {0, 1}, apply_compress,
            "Only `stub-v2`, which changes nothing for IP packets; all else is refused."),
  };
  return kRows;
}

std::span<const OptionRow> profile_timer_options() {
  static const std::array kRows = {
      as_on_servers("keepalive",
                    "Pings every INTERVAL seconds, and connects anew after TIMEOUT seconds of "
                    "silence; what the server pushes wins."),
      as_on_servers("ping", "The first half of `keepalive`; 0 is off."),
      works("ping-restart", "SECONDS", {1, 1}, apply_ping_restart,
            "The second half of `keepalive`; 120 by default, 0 is never."),
      works("ping-exit", "SECONDS", {1, 1}, apply_ping_restart,
            "The same, but silence ends the client. Of both the last line counts; what the server "
            "pushes wins."),
      works("inactive", "SECONDS [BYTES]", {1, 2}, apply_inactive,
            "Ends the client when its packets, both ways together, need longer to come to BYTES; "
            "without BYTES, when there is none for so long. What the server pushes wins."),
      works("session-timeout", "SECONDS", {1, 1}, apply_session_timeout,
            "Ends the client so long after it has connected; what the server pushes wins."),
      as_on_servers("reneg-sec",
                    "Age at which keys are replaced; 3600 by default; 0 leaves it to the server."),
      as_on_servers("reneg-bytes", ""),
      as_on_servers("reneg-pkts",
                    "Keys are replaced after so many packets, both ways together; 0 is never."),
      as_on_servers("hand-window", ""),
      as_on_servers("tran-window", ""),
      as_on_servers("tls-timeout", ""),
  };
  return kRows;
}

std::span<const OptionRow> profile_process_options() {
  static const std::array kRows = {
      as_on_servers("log", ""),
      as_on_servers("log-append", ""),
      as_on_servers("verb", ""),
      as_on_servers("writepid", ""),
      as_on_servers("user", "Become this user once everything is read, and keep CAP_NET_ADMIN."),
      as_on_servers("group", "Become this group."),
      as_on_servers("cd", ""),
      as_on_servers("config", ""),
      as_on_servers("ignore-unknown-option", ""),
      as_on_servers("aead-engine", ""),
      as_on_servers("no-gso", ""),
      as_on_servers("no-gro", ""),
      as_on_servers("no-tso", ""),
      as_on_servers("no-uso", ""),
      as_on_servers("kernel-profile", ""),
  };
  return kRows;
}

}  // namespace ringway
