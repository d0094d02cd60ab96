#include "control/server_role.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/secret.h"
#include "control/config/tunnel_addresses.h"
#include "control/session_terms.h"

namespace ringway {

namespace {

using Level = PlaneEvent::Level;
using Stage = Client::Stage;

AddressPoolSettings pool_settings(const ServerConfig& config) {
  return {.v4 = client_range_v4(config.tunnel),
          .v6 = client_range_v6(config.tunnel),
          .duplicate_cn = config.duplicate_cn};
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
      questions_(surroundings.questions),
      worker_count_(worker_count),
      registry_(worker_count, config.clients_max),
      pool_(pool_settings(config)),
      routes_(inner_routes_max(config)),
      pushes_(config.push) {
  // A pool that was written by hand may hold it.
  pool_.reserve("", own_address_v4(config.tunnel), own_address_v6(config.tunnel));
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
    connect(client, std::move(event.keys), now);
    limit_session(client, now);
    push_if_due(client, now);
  } else if (client.stage == Stage::Connected) {
    handoff_.install_keys(client.peer_id, std::move(event.keys));
  }
}

void ServerRole::connect(Client& client, DataKeys keys, Now now) {
  SessionSettings terms =
      session_terms(config_, client.endpoint.is_tcp(), client.peer_info, client.terms);
  terms.in_epochs = client.admission.data_epochs;
  terms.renegotiate_packets = config_.timers.renegotiate_packets;
  terms.ends = tunnel_ends(config_.tunnel, client.lease);
  handoff_.add_session(client.peer_id, client.endpoint, terms);
  handoff_.install_keys(client.peer_id, std::move(keys));
  for (const Prefix& network : client.learned) add_route(client, network, now);
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
  PushReply reply = reply_for(client, pushes_);
  if (auto token = token_option(client, now)) {
    reply.options.push_back(std::move(*token));
    client.token_due = now.instant + tokens_->limits().renewal;
  }
  client.channel.send_push_reply(reply, now);
  if (!first) return;
  log_.add(Level::Info,
           fmt::format(
               "{}: connected as peer {} with {}; {}{}, {}; client version {}", label_of(client),
               client.peer_id.value, addresses_of(client.lease), name_of(client.admission.cipher),
               client.admission.data_epochs ? " in epochs" : "", client.channel.tls_description(),
               client.peer_info.find("IV_VER").value_or("unknown")),
           now.instant);
}

void ServerRole::on(Client& client, Renegotiated& event, Now now) {
  if (event.succeeded) {
    if (client.stage == Stage::Connected) handoff_.confirm_key(client.peer_id, event.key_id);
    renew_token(client, now);
    log_.add(Level::Debug,
             fmt::format("{}: renegotiated key {}; {}", label_of(client), event.key_id.value,
                         client.channel.tls_description()),
             now.instant);
    return;
  }
  if (client.inquiry && client.inquiry->key_id == event.key_id) withdraw_inquiry(client);
  log_.add(Level::Warning,
           fmt::format("{}: the renegotiation of key {} failed; the old key stays in use",
                       label_of(client), event.key_id.value),
           now.instant);
}

void ServerRole::on(Client& client, PeerLeft& event, Now now) {
  take_leave(client, "left: " + event.message, now);
}

void ServerRole::on(Client& client, MessageReceived& event, Now now) {
  if (ask_about_challenge(client, event)) return;
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

void ServerRole::send_away(Client& client, std::string_view reason, Now now) {
  client.channel.send_message("RESTART", now);
  take_leave(client, reason, now);
}

void ServerRole::withdraw(Client& client, Now now) {
  withdraw_inquiry(client);
  tell_programs(client);
  client.ends_at.reset();
  client.token_due.reset();
  client.activity.reset();
  watched_.erase(client.peer_id);
  if (client.stage == Stage::Connected) {
    remove_routes(client);
    handoff_.remove_session(client.peer_id, client.peer_info.has(ProtoBit::DataV2));
  }
  if (client.peer_id.is_set()) registry_.release(client.peer_id, now.instant);
  pool_.release(client.lease);
  client.peer_id = {};
  client.lease = {};
  client.learned.clear();
}

bool ServerRole::is_on_the_list(const RevokedCertificate& certificate) const {
  if (certificate.serial_decimal.empty()) return false;
  return revoked_.contains(certificate) ||
         revoked_.contains({.issuer = "", .serial_decimal = certificate.serial_decimal});
}

/// Its own certificate, or one of the authorities between it and the root.
bool ServerRole::is_revoked(const Client& client) const {
  if (is_on_the_list(client.identity.certificate)) return true;
  const std::vector<CertificateFacts>& chain = client.certificate.chain;
  for (std::size_t n = 1; n < chain.size(); ++n) {
    const std::string& issuer = chain[std::min(n + 1, chain.size() - 1)].subject;
    if (is_on_the_list({.issuer = issuer, .serial_decimal = chain[n].serial_decimal})) return true;
  }
  return false;
}

void ServerRole::revoke(std::vector<RevokedCertificate> certificates, Now now) {
  revoked_.clear();
  revoked_.insert(certificates.begin(), certificates.end());
  for (const ClientId id : book_.all()) {
    Client* client = book_.find(id);
    if (client == nullptr || !is_revoked(*client)) continue;
    // Who still waits for an answer was judged by the list before.
    if (client->stage == Client::Stage::Leaving || client->stage == Client::Stage::Gone) continue;
    refuse(*client, {.for_client = "", .for_log = "the certificate is revoked"}, now);
  }
}

std::string label_of(const Client& client) {
  std::string endpoint = client.endpoint.remote.to_string();
  if (client.identity.common_name.empty()) return endpoint;
  return client.identity.common_name + "/" + endpoint;
}

}  // namespace ringway
