#include "control/config/profile_parser.h"

#include <fmt/format.h>

#include <utility>

#include "control/config/config_derive.h"
#include "control/config/config_reader.h"

namespace ringway {
namespace {

Result<void> check_identity(const ConfigDraft& draft) {
  const TlsConfig& tls = draft.config.tls;
  const std::string& source = draft.config.source;
  if (!tls.ca.is_set()) {
    return fail("`ca` is missing: nothing would tell the server from a stranger", source,
                "write `ca FILE`, or the certificates between <ca> and </ca>");
  }
  if (tls.cert.is_set() != tls.key.is_set()) {
    return fail(fmt::format("`{}` needs `{}`", tls.cert.is_set() ? "cert" : "key",
                            tls.cert.is_set() ? "key" : "cert"),
                tls.cert.is_set() ? tls.cert.where : tls.key.where, "give both or none");
  }
  if (!tls.cert.is_set() && !draft.profile.auth_user_pass.is_set()) {
    return fail("nothing says who this client is", source,
                "write `cert FILE` and `key FILE`, or `auth-user-pass FILE`");
  }
  return {};
}

Result<void> check_remote(const ConfigDraft& draft) {
  const std::vector<RemoteConfig>& remotes = draft.profile.remotes;
  if (remotes.empty()) {
    return fail("`remote` is missing: the server's name or address", draft.config.source,
                "write `remote HOST [PORT]`");
  }
  if (remotes.size() > 1) {
    return fail("a second `remote` is not served yet: one server is tried", remotes[1].where,
                "keep one of them");
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

Result<void> derive(ConfigDraft& draft) {
  if (auto checked = check_remote(draft); !checked) return checked;
  if (auto checked = check_device(draft); !checked) return checked;
  if (auto derived = derive_wrap(draft); !derived) return derived;
  if (auto checked = check_identity(draft); !checked) return checked;

  RemoteConfig& remote = draft.profile.remotes.front();
  if (remote.port == 0) remote.port = draft.profile.port;
  if (remote.family == LinkFamily::Both && draft.profile.family) {
    remote.family = *draft.profile.family;
  }
  if (draft.config.tls.groups.empty()) draft.config.tls.groups = draft.ecdh_curve;
  if (draft.keepalive) {
    draft.config.timers.ping = draft.keepalive->interval;
    draft.config.timers.ping_restart = draft.keepalive->timeout;
  }
  if (!draft.keepalive && !draft.has("ping-restart")) draft.config.timers.ping_restart = 120s;
  if (draft.mssfix) draft.config.tunnel.mssfix = *draft.mssfix;
  note_what_surprises(draft);
  return {};
}

ClientConfig take(ConfigDraft draft) {
  ServerConfig& common = draft.config;
  ProfileDraft& profile = draft.profile;
  return {.source = std::move(common.source),
          .remote = std::move(profile.remotes.front()),
          .tls = std::move(common.tls),
          .wrap = std::move(common.wrap),
          .auth_user_pass = std::move(profile.auth_user_pass),
          .data_ciphers = std::move(common.data_ciphers),
          .aead_engine = common.aead_engine,
          .tunnel = std::move(common.tunnel),
          .mssfix_given = draft.mssfix.has_value(),
          .route_metric = profile.route_metric,
          .route_nopull = profile.route_nopull,
          .pull_filters = std::move(profile.pull_filters),
          .persist_tun = profile.persist_tun,
          .timers = common.timers,
          .exit_notify = profile.exit_notify,
          .retry = profile.retry,
          .worker = std::move(common.workers),
          .send_buffer = common.send_buffer,
          .receive_buffer = common.receive_buffer,
          .log_file = std::move(common.log_file),
          .log_append = common.log_append,
          .verb = common.verb,
          .write_pid_file = std::move(common.write_pid_file),
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
  if (auto derived = derive(draft); !derived) return std::unexpected(derived.error());
  return take(std::move(draft));
}

Result<UserPassword> read_user_password(const FileOrInline& file) {
  const auto line_at = [&](std::size_t start) {
    std::string line = file.text.substr(start, file.text.find('\n', start) - start);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  };
  const std::size_t second = file.text.find('\n');
  if (second == std::string::npos || line_at(0).empty() || line_at(second + 1).empty()) {
    return fail("`auth-user-pass`: a name and a password are wanted", file.where,
                "write the name on the file's first line and the password on its second");
  }
  return UserPassword{.username = line_at(0), .password = line_at(second + 1)};
}

}  // namespace ringway
