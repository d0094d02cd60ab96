#include "control/float_judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringway {
namespace {

using Level = PlaneEvent::Level;

/// Proved by a certificate. Where `duplicate-cn` lets several devices have one, it says at least
/// that they belong together.
bool is_same_identity(const ClientIdentity& one, const ClientIdentity& other) {
  return one.certificate_sha256 != ClientIdentity{}.certificate_sha256 && one == other;
}

}  // namespace

void FloatJudge::note_moved(Client& client, const LinkEndpoint& there, Now now) {
  if (client.stage != Client::Stage::Connected) return;
  if (there == client.endpoint) return client.heard_elsewhere_at.reset();
  if (const Client* resident = resident_at(there, client, now)) {
    refuse(client, *resident, there, now);
    around_.handoff.refuse_endpoint(client.peer_id, there, client.endpoint);
    return;
  }
  grant(client, there, now);
}

void FloatJudge::note_claimed(Client& client, const LinkEndpoint& there, Now now) {
  if (client.stage != Client::Stage::Connected) return;
  if (const Client* resident = resident_at(there, client, now)) {
    return refuse(client, *resident, there, now);
  }
  around_.handoff.move_session(client.peer_id, there);
  if (there != client.endpoint) grant(client, there, now);
}

/// Who stands in the newcomer's way.
Client* FloatJudge::resident_at(const LinkEndpoint& there, const Client& newcomer, Now now) {
  for (const ClientId id : around_.book.at(there)) {
    Client* const resident = around_.book.find(id);
    if (resident == nullptr || resident->id == newcomer.id || !resident->is_established()) continue;
    const bool is_namesake =
        resident->channel.remote_session() == newcomer.channel.remote_session();
    if (!is_namesake && is_same_identity(resident->identity, newcomer.identity)) continue;
    // Two established channels at one endpoint are told apart by their session ids.
    if (is_namesake || is_at_home(*resident, now)) return resident;
  }
  return nullptr;
}

bool FloatJudge::is_at_home(const Client& resident, Now now) const {
  if (resident.heard_elsewhere_at && now.instant - *resident.heard_elsewhere_at < kClaimLife) {
    return false;
  }
  const std::optional<Instant> heard =
      last_heard_ ? last_heard_(resident.peer_id) : std::optional<Instant>{};
  if (ping_ == Duration{0} || !heard) return true;
  const Instant last = std::max({*heard, resident.channel.last_received(), resident.admitted_at});
  return now.instant - last < kSilentPings * ping_;
}

/// Session ids are chosen by clients: a handshake that began there under the newcomer's is somebody
/// who has read it on the wire.
void FloatJudge::clear_namesakes(const LinkEndpoint& there, const Client& newcomer, Now now) {
  Client* const other = around_.book.find(there, newcomer.channel.remote_session());
  if (other == nullptr || other->id == newcomer.id) return;
  around_.role.remove(*other, "a client with the same session id has come there", now);
}

void FloatJudge::grant(Client& client, const LinkEndpoint& there, Now now) {
  clear_namesakes(there, client, now);
  const bool is_same_remote = there.remote == client.endpoint.remote;
  around_.log.add(
      Level::Info,
      is_same_remote ? fmt::format("{}: floated: it addresses {} now", label_of(client),
                                   there.local.to_string())
                     : fmt::format("{}: floated to {}", label_of(client), there.remote.to_string()),
      now.instant);
  around_.book.move(client, there);
  client.heard_elsewhere_at.reset();
}

void FloatJudge::refuse(Client& client, const Client& resident, const LinkEndpoint& there,
                        Now now) {
  client.heard_elsewhere_at = now.instant;
  if (client.refusal_logged_at && now.instant - *client.refusal_logged_at < kRefusalLogInterval) {
    return;
  }
  client.refusal_logged_at = now.instant;
  around_.log.add(Level::Info,
                  fmt::format("{}: was heard at {}, where {} is; its packets are accepted, and the "
                              "answers still go to {}",
                              label_of(client), there.remote.to_string(), label_of(resident),
                              client.endpoint.remote.to_string()),
                  now.instant);
}

}  // namespace ringway
