#include "control/config/profile_parser.h"

#include <fmt/format.h>

#include <utility>

#include "control/config/config_derive.h"
#include "control/config/config_reader.h"
#include "control/config/profile_remotes.h"

namespace ringway {
namespace {

Result<void> check_identity(const ConfigDraft& draft) {
  const TlsConfig& tls = draft.config.tls;
  const std::string& source = draft.config.source;
  if (!tls.ca.is_set() && tls.rules.fingerprints.empty()) {
    return fail("`ca` is missing: nothing would tell the server from a stranger", source,
                "write `ca FILE`, the certificates between <ca> and </ca>, or `peer-fingerprint`");
  }
  if (tls.cert.is_set() != tls.key.is_set()) {
    return fail(fmt::format("`{}` needs `{}`", tls.cert.is_set() ? "cert" : "key",
                            tls.cert.is_set() ? "key" : "cert"),
                tls.cert.is_set() ? tls.cert.where : tls.key.where, "give both or none");
  }
  if (!tls.cert.is_set() && !draft.profile.login.is_wanted) {
    return fail("nothing says who this client is", source,
                "write `cert FILE` and `key FILE`, or `auth-user-pass`");
  }
  return {};
}

Result<void> check_device(const ConfigDraft& draft) {
  const std::string& device = draft.config.tunnel.device;
  if (device.empty()) {
    return fail("`dev` is missing", draft.config.source, "write `dev tun`");
  }
  if (device.starts_with("tap") && draft.device_type != "tun") {
    return fail(
        fmt::format("`dev {}` is refused: Ringway routes IP and bridges no Ethernet", device),
        draft.place_of("dev"), "write `dev tun` here and at the server");
  }
  return {};
}

void note_what_surprises(ConfigDraft& draft) {
  const TlsConfig& tls = draft.config.tls;
  if (tls.remote_cert_tls || !tls.peer_name.empty()) return;
  draft.config.notes.push_back(
      "any certificate of the authority may pose as the server; write `remote-cert-tls server`");
}

Result<void> settle_remotes(ConfigDraft& draft) {
  auto remotes = derive_remotes(draft);
  if (!remotes) return std::unexpected(remotes.error());
  draft.profile.servers = std::move(*remotes);
  return {};
}

}  // namespace

Result<void> derive_profile(ConfigDraft& draft) {
  if (auto checked = draft.settle(settle_remotes(draft)); !checked) return checked;
  if (auto checked = draft.settle(check_device(draft)); !checked) return checked;
  if (auto derived = draft.settle(derive_wrap(draft)); !derived) return derived;
  if (draft.config.wrap.v2_key.is_set() && draft.config.wrap.mode != WrapMode::None) {
    auto refused =
        draft.settle(fail("`tls-crypt-v2` excludes `tls-crypt` and `tls-auth`",
                          draft.place_of("tls-crypt-v2"), "keep the one that the server has"));
    if (!refused) return refused;
  }
  if (auto checked = draft.settle(check_identity(draft)); !checked) return checked;

  if (draft.config.tls.groups.empty()) draft.config.tls.groups = draft.ecdh_curve;
  if (draft.keepalive) {
    draft.config.timers.ping = draft.keepalive->interval;
    draft.config.timers.ping_restart = draft.keepalive->timeout;
  }
  if (!draft.keepalive && !draft.has("ping-restart") && !draft.has("ping-exit"))
    draft.config.timers.ping_restart = 120s;
  note_what_surprises(draft);
  return {};
}

namespace {

ClientConfig take(ConfigDraft draft) {
  ServerConfig& common = draft.config;
  ProfileDraft& profile = draft.profile;
  return {.source = std::move(common.source),
          .remotes = std::move(profile.servers),
          .remote_random = profile.remote_random,
          .remote_random_hostname = profile.remote_random_hostname,
          .tls = std::move(common.tls),
          .wrap = std::move(common.wrap),
          .auth_user_pass = std::move(profile.auth_user_pass),
          .login = std::move(profile.login),
          .data_ciphers = std::move(common.data_ciphers),
          .aead_engine = common.aead_engine,
          .tunnel = std::move(common.tunnel),
          .network = std::move(profile.network),
          .route_noexec = profile.route_noexec,
          .allow_pull_fqdn = profile.allow_pull_fqdn,
          .ifconfig_noexec = profile.ifconfig_noexec,
          .dns_noexec = profile.dns_noexec,
          .undo_directory = std::move(profile.undo_directory),
          .scripts = std::move(profile.scripts),
          .route_nopull = profile.route_nopull,
          .pull_filters = std::move(profile.pull_filters),
          .persist_tun = profile.persist_tun,
          .timers = common.timers,
          .lifetime = profile.lifetime,
          .retry = profile.retry,
          .worker = std::move(common.workers),
          .send_buffer = common.send_buffer,
          .receive_buffer = common.receive_buffer,
          .outside = std::move(common.outside),
          .log_file = std::move(common.log_file),
          .log_append = common.log_append,
          .verb = common.verb,
          .write_pid_file = std::move(common.write_pid_file),
          .user = std::move(common.user),
          .group = std::move(common.group),
          .working_directory = std::move(common.working_directory),
          .notes = std::move(common.notes)};
}

}  // namespace

Result<ClientConfig> parse_client_profile(std::string_view text, const std::string& file_name,
                                          const std::vector<std::string>& extra_options,
                                          const FileReader& read) {
  ConfigDraft draft;
  draft.config.source = file_name;
  ConfigReader reader(draft, read, ConfigKind::Client);
  if (auto applied = reader.read(text, file_name, extra_options); !applied) {
    return std::unexpected(applied.error());
  }
  if (auto derived = derive_profile(draft); !derived) return std::unexpected(derived.error());
  return take(std::move(draft));
}

Result<UserPassword> read_user_password(const FileOrInline& file) {
  const auto line_at = [&](std::size_t start) {
    std::string line = file.text.substr(start, file.text.find('\n', start) - start);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  };
  const std::size_t second = file.text.find('\n');
  if (line_at(0).empty()) {
    return fail("`auth-user-pass`: a name is wanted", file.where,
                "write the name on the file's first line and the password on its second; without "
                "the second the password is asked for");
  }
  UserPassword user{.username = line_at(0), .password = {}};
  if (second == std::string::npos) return user;
  std::string password = line_at(second + 1);
  user.password = SecretText::take(password);
  return user;
}

}  // namespace ringway
