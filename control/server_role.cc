#include "control/server_role.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/secret.h"
#include "control/push_options.h"
#include "control/session_terms.h"

namespace ringway {

namespace {

using Level = PlaneEvent::Level;
using Stage = Client::Stage;

AddressPoolSettings pool_settings(const ServerConfig& config) {
  AddressPoolSettings settings{.duplicate_cn = config.duplicate_cn};
  if (!config.tunnel.pool) return settings;
  settings.network_v4 = config.tunnel.network_v4;
  settings.network_v6 = config.tunnel.network_v6;
  return settings;
}

std::string addresses_of(const Lease& lease) {
  std::string text = lease.v4 ? lease.v4->to_string() : "";
  if (lease.v6) text += (text.empty() ? "" : ", ") + lease.v6->to_string();
  return text.empty() ? "no address" : text;
}

}  // namespace

ServerRole::ServerRole(const ServerConfig& config, Surroundings surroundings,
                       std::uint16_t worker_count, std::string_view persisted_leases, Now now)
    : config_(config),
      book_(surroundings.book),
      handoff_(surroundings.handoff),
      log_(surroundings.log),
      registry_(worker_count, config.clients_max),
      pool_(pool_settings(config)) {
  const std::size_t taken = pool_.load_hints(persisted_leases);
  if (taken > 0) {
    log_.add(Level::Info, fmt::format("{} address leases of earlier clients are remembered", taken),
             now.instant);
  }
}

void ServerRole::serve(Client& client, Now now) {
  while (client.stage != Stage::Gone) {
    std::optional<ControlEvent> event = client.channel.poll_event();
    if (!event) break;
    std::visit([&](auto& raised) { on(client, raised, now); }, *event);
  }
  book_.update(client);
}

void ServerRole::on(Client& client, AuthRequested& event, Now now) {
  if (client.stage == Stage::Leaving) return;
  const std::expected<void, Refusal> verdict =
      client.is_established() ? admit_again(client, event, now) : admit(client, event, now);
  wipe({reinterpret_cast<std::uint8_t*>(event.password.data()), event.password.size()});
  if (!verdict) refuse(client, verdict.error(), now);
}

std::expected<void, Refusal> ServerRole::admit(Client& client, const AuthRequested& request,
                                               Now now) {
  client.peer_info = request.peer_info;
  std::expected<ClientIdentity, Refusal> identity =
      check_identity(config_.tls.verify_client_cert, request);
  if (!identity) return std::unexpected(identity.error());
  client.identity = std::move(*identity);
  if (is_revoked(client)) {
    return std::unexpected(Refusal{.for_log = "the certificate is revoked"});
  }
  const std::expected<Admission, Refusal> admission = choose_admission(config_, request);
  if (!admission) return std::unexpected(admission.error());
  client.admission = *admission;

  if (auto replaced = replace_others(client, client.identity, now); !replaced) return replaced;
  if (auto granted = grant(client, now); !granted) return granted;
  client.stage = Stage::Admitted;
  client.connected_since = now.wall;
  client.admitted_at = now.instant;
  book_.keep(client);
  client.channel.admit(client.admission, now);
  return {};
}

std::expected<void, Refusal> ServerRole::admit_again(Client& client, const AuthRequested& request,
                                                     Now now) {
  const std::expected<ClientIdentity, Refusal> identity =
      check_identity(config_.tls.verify_client_cert, request);
  if (!identity) return std::unexpected(identity.error());
  if (auto same = check_same_identity(client.identity, *identity); !same) return same;
  client.channel.admit(client.admission, now);
  return {};
}

/// The client has authenticated, so it may take the place of its own earlier session: of the one at
/// its endpoint (a client restarted on the same port, security goals A14 and A15) and, unless
/// several may share a name, of the one under its name.
std::expected<void, Refusal> ServerRole::replace_others(const Client& client,
                                                        const ClientIdentity& identity, Now now) {
  if (!config_.duplicate_cn && !identity.common_name.empty()) {
    for (const ClientId id : registry_.find_name(identity.common_name)) {
      Client* other = book_.find(id);
      if (other == nullptr || other->id == client.id) continue;
      if (other->endpoint.remote.address != client.endpoint.remote.address &&
          now.instant - other->admitted_at < kReplaceMin) {
        return std::unexpected(Refusal{.for_client = "this name has just connected from elsewhere",
                                       .for_log = "the same name connected from elsewhere less "
                                                  "than a second ago",
                                       .is_temporary = true});
      }
      remove(*other, fmt::format("replaced by {}", client.endpoint.remote.to_string()), now);
    }
  }
  for (const ClientId id : book_.at(client.endpoint.remote)) {
    Client* other = book_.find(id);
    if (other == nullptr || other->id == client.id || !other->is_established()) continue;
    remove(*other, "replaced by a new session from the same address and port", now);
  }
  return {};
}

std::expected<void, Refusal> ServerRole::grant(Client& client, Now now) {
  const std::optional<PeerId> peer =
      registry_.acquire(client.id, client.identity.common_name, now.instant);
  if (!peer) {
    return std::unexpected(
        Refusal{.for_client = "the server is full",
                .for_log = fmt::format("the server is full (max-clients {})", config_.clients_max),
                .is_temporary = true});
  }
  client.peer_id = *peer;
  if (pool_.size() == 0) return {};
  const std::optional<Lease> lease = pool_.acquire(client.identity.common_name);
  if (lease) {
    client.lease = *lease;
    return {};
  }
  registry_.release(*peer, now.instant);
  client.peer_id = {};
  return std::unexpected(
      Refusal{.for_client = "the server has no address left",
              .for_log = fmt::format("the address pool is exhausted ({} leases)", pool_.size()),
              .is_temporary = true});
}

void ServerRole::refuse(Client& client, const Refusal& refusal, Now now) {
  // To clients that know no "try again later" AUTH_FAILED is final. They hear nothing, and try
  // again when their handshake has timed out.
  const bool is_told = !refusal.is_temporary || client.peer_info.has(ProtoBit::AuthFailedTemp);
  if (is_told) {
    client.channel.reject(refusal.is_temporary ? "TEMP: " + refusal.for_client : refusal.for_client,
                          now);
  }
  take_leave(client, "refused: " + refusal.for_log, now, kRefusalGrace);
}

void ServerRole::on(Client& client, KeysReady& event, Now now) {
  if (client.stage == Stage::Admitted) {
    connect(client, std::move(event.keys));
    push_if_due(client, now);
  } else if (client.stage == Stage::Connected) {
    handoff_.install_keys(client.peer_id, std::move(event.keys));
  }
}

void ServerRole::connect(Client& client, DataKeys keys) {
  handoff_.add_session(
      client.peer_id, client.endpoint,
      session_terms(config_, client.endpoint.remote, client.peer_info.has(ProtoBit::DataV2)));
  handoff_.install_keys(client.peer_id, std::move(keys));
  if (client.lease.v4) handoff_.add_route(Prefix::host(*client.lease.v4), client.peer_id);
  if (client.lease.v6) handoff_.add_route(Prefix::host(*client.lease.v6), client.peer_id);
  client.stage = Stage::Connected;
}

void ServerRole::on(Client& client, ControlActive&, Now now) {
  client.is_active = true;
  if (client.peer_info.has(ProtoBit::RequestPush)) client.push_wanted = true;
  push_if_due(client, now);
}

void ServerRole::on(Client& client, PushRequested&, Now now) {
  // The memory of the last answer belongs to this channel, not to the client's address: a client
  // that was restarted on the same port must not wait for its predecessor's half minute to end.
  if (client.pushed_at && now.instant - *client.pushed_at < kPushRepeatMin) return;
  client.push_wanted = true;
  push_if_due(client, now);
}

void ServerRole::push_if_due(Client& client, Now now) {
  if (client.stage != Stage::Connected || !client.is_active || !client.push_wanted) return;
  client.push_wanted = false;
  const bool first = !client.pushed_at.has_value();
  client.pushed_at = now.instant;
  client.channel.send_push_reply(assemble_push_reply(config_, {.peer_info = client.peer_info,
                                                               .admission = client.admission,
                                                               .lease = client.lease,
                                                               .peer_id = client.peer_id}),
                                 now);
  if (!first) return;
  log_.add(Level::Info,
           fmt::format("{}: connected as peer {} with {}; {}, {}; client version {}",
                       label_of(client), client.peer_id.value, addresses_of(client.lease),
                       name_of(client.admission.cipher), client.channel.tls_description(),
                       client.peer_info.find("IV_VER").value_or("unknown")),
           now.instant);
}

void ServerRole::on(Client& client, Renegotiated& event, Now now) {
  if (event.succeeded) {
    if (client.stage == Stage::Connected) handoff_.confirm_key(client.peer_id, event.key_id);
    log_.add(Level::Debug,
             fmt::format("{}: renegotiated key {}; {}", label_of(client), event.key_id.value,
                         client.channel.tls_description()),
             now.instant);
    return;
  }
  log_.add(Level::Warning,
           fmt::format("{}: the renegotiation of key {} failed; the old key stays in use",
                       label_of(client), event.key_id.value),
           now.instant);
}

void ServerRole::on(Client& client, PeerLeft& event, Now now) {
  take_leave(client, "left: " + event.message, now);
}

void ServerRole::on(Client& client, MessageReceived& event, Now now) {
  log_.add(Level::Debug,
           fmt::format("{}: ignored the message \"{}\"", label_of(client),
                       // What follows the word can be the answer to a challenge.
                       std::string_view(event.text).substr(0, event.text.find(','))),
           now.instant);
}

void ServerRole::on(Client& client, Closed& event, Now now) { remove(client, event.reason, now); }

void ServerRole::remove(Client& client, std::string_view reason, Now now) {
  if (client.stage != Stage::Leaving) {
    log_.add(Level::Info, fmt::format("{}: removed: {}", label_of(client), reason), now.instant);
  }
  withdraw(client, now);
  book_.remove(client);
}

void ServerRole::take_leave(Client& client, std::string_view reason, Now now, Duration grace) {
  // Armed once: a client that repeats its goodbye does not stay any longer (security goal B14).
  if (client.stage == Stage::Leaving || client.stage == Stage::Gone) return;
  log_.add(Level::Info, fmt::format("{}: {}", label_of(client), reason), now.instant);
  withdraw(client, now);
  client.stage = Stage::Leaving;
  client.leave_at = now.instant + grace;
  book_.make_evictable(client);
  book_.update(client);
}

void ServerRole::withdraw(Client& client, Now now) {
  if (client.stage == Stage::Connected) {
    if (client.lease.v4) handoff_.remove_route(Prefix::host(*client.lease.v4), client.peer_id);
    if (client.lease.v6) handoff_.remove_route(Prefix::host(*client.lease.v6), client.peer_id);
    handoff_.remove_session(client.peer_id, client.peer_info.has(ProtoBit::DataV2));
  }
  if (client.peer_id.is_set()) registry_.release(client.peer_id, now.instant);
  pool_.release(client.lease);
  client.peer_id = {};
  client.lease = {};
}

bool ServerRole::is_revoked(const Client& client) const {
  const RevokedCertificate& certificate = client.identity.certificate;
  if (certificate.serial_decimal.empty()) return false;
  return revoked_.contains(certificate) ||
         revoked_.contains({.issuer = "", .serial_decimal = certificate.serial_decimal});
}

void ServerRole::revoke(std::vector<RevokedCertificate> certificates, Now now) {
  revoked_.clear();
  revoked_.insert(certificates.begin(), certificates.end());
  for (const ClientId id : book_.all()) {
    Client* client = book_.find(id);
    if (client == nullptr || !client->is_established()) continue;
    if (!is_revoked(*client)) continue;
    refuse(*client, {.for_client = "", .for_log = "the certificate is revoked"}, now);
  }
}

std::string label_of(const Client& client) {
  std::string endpoint = client.endpoint.remote.to_string();
  if (client.identity.common_name.empty()) return endpoint;
  return client.identity.common_name + "/" + endpoint;
}

}  // namespace ringway
