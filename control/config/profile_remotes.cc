#include "control/config/profile_remotes.h"

#include <fmt/format.h>

namespace ringway {
namespace {

/// OpenVPN's default of `port`, `rport` and `lport`.
constexpr std::uint16_t kPortDefault = 1194;

std::string_view name_of(LinkFamily family) {
  return family == LinkFamily::V4Only ? "udp4" : "udp6";
}

/// The block's word counts, then the profile's.
template <typename T>
std::optional<T> choose(const std::optional<T>& block, const std::optional<T>& all) {
  return block ? block : all;
}

/// A socket is bound only where the profile says so: `local`, `lport` or `bind`. (OpenVPN binds to
/// its own port unless told `nobind`, and then runs once on a host.)
LocalBinding binding_of(const ConnectionDraft& block, const ConnectionDraft& all) {
  LocalBinding binding;
  if (const auto bind = choose(block.bind, all.bind); bind && !*bind) return binding;
  binding.address = choose(block.local, all.local);
  const bool by_name = choose(block.bind, all.bind).has_value();
  binding.port = choose(block.local_port, all.local_port)
                     .value_or(by_name ? choose(block.port, all.port).value_or(kPortDefault) : 0);
  return binding;
}

/// Narrows the families to that of a literal address, here or at the server.
Result<void> fit_family(RemoteConfig& remote, const IpAddress& address, std::string_view option) {
  const LinkFamily fitting = address.is_v4() ? LinkFamily::V4Only : LinkFamily::V6Only;
  if (remote.family != LinkFamily::Both && remote.family != fitting) {
    return fail(fmt::format("`{} {}` is no address for `{}`", option, address.to_string(),
                            name_of(remote.family)),
                remote.where, "write `udp`, which takes either family");
  }
  remote.family = fitting;
  return {};
}

Result<RemoteConfig> derive_remote(const RemoteDraft& draft, const ConnectionDraft& all) {
  const ConnectionDraft& block = draft.block;
  const LinkProtocol protocol =
      draft.protocol.value_or(choose(block.protocol, all.protocol).value_or(LinkProtocol{}));
  RemoteConfig remote{
      .host = draft.host,
      .port = draft.port.value_or(choose(block.port, all.port).value_or(kPortDefault)),
      .family = protocol.family,
      .is_tcp = protocol.is_tcp,
      .local = binding_of(block, all),
      .where = draft.where};
  remote.connect_timeout =
      choose(block.connect_timeout, all.connect_timeout).value_or(remote.connect_timeout);
  remote.exit_notify = choose(block.exit_notify, all.exit_notify).value_or(remote.exit_notify);
  remote.floats = choose(block.floats, all.floats).value_or(false);
  if (const auto address = IpAddress::parse(remote.host)) {
    if (auto fits = fit_family(remote, *address, "remote"); !fits) {
      return std::unexpected(fits.error());
    }
  }
  if (remote.local.address) {
    if (auto fits = fit_family(remote, *remote.local.address, "local"); !fits) {
      return std::unexpected(fits.error());
    }
  }
  return remote;
}

}  // namespace

Result<std::vector<RemoteConfig>> derive_remotes(const ConfigDraft& draft) {
  const ProfileDraft& profile = draft.profile;
  if (profile.remotes.empty()) {
    return fail("`remote` is missing: the server's name or address", draft.config.source,
                "write `remote HOST [PORT]`");
  }
  std::vector<RemoteConfig> remotes;
  for (const RemoteDraft& line : profile.remotes) {
    Result<RemoteConfig> remote = derive_remote(line, profile.connection);
    if (!remote) return std::unexpected(remote.error());
    remotes.push_back(std::move(*remote));
  }
  return remotes;
}

}  // namespace ringway
