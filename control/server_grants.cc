#include <fmt/format.h>

#include "control/server_role.h"

/// What an authenticated client is given first: its place, and its older sessions'.
namespace ringway {

/// The client is who it says it is: its older sessions make room, and it gets a place.
std::expected<void, Refusal> ServerRole::join(Client& client, Now now) {
  if (auto replaced = replace_others(client, client.identity, now); !replaced) return replaced;
  if (auto granted = grant(client, now); !granted) return granted;
  client.stage = Client::Stage::Joining;
  client.connected_since = now.wall;
  client.admitted_at = now.instant;
  client.inquiry->give_up_at = now.instant + config_.timers.hand_window;
  book_.keep(client);
  return {};
}

/// The client has authenticated, so it may take the place of its own earlier session: of the one at
/// its endpoint (a client restarted on the same port, security goals A14 and A15) and, unless
/// several may share a name, of the one under its name.
std::expected<void, Refusal> ServerRole::replace_others(Client& client,
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
      inherit_addresses(client, *other);
      remove(*other, fmt::format("replaced by {}", client.endpoint.remote.to_string()), now);
    }
  }
  for (const ClientId id : book_.at(client.endpoint)) {
    Client* other = book_.find(id);
    if (other == nullptr || other->id == client.id || !other->is_established()) continue;
    inherit_addresses(client, *other);
    remove(*other, "replaced by a new session from the same address and port", now);
  }
  return {};
}

std::expected<void, Refusal> ServerRole::grant(Client& client, Now now) {
  std::optional<WorkerId> worker;
  if (client.endpoint.is_tcp()) worker = owner_of(client.endpoint.connection, worker_count_);
  const std::optional<PeerId> peer =
      registry_.acquire(client.id, client.identity.common_name, now.instant, worker);
  if (!peer) {
    return std::unexpected(
        Refusal{.for_client = "the server is full",
                .for_log = fmt::format("the server is full (max-clients {})", config_.clients_max),
                .is_temporary = true});
  }
  client.peer_id = *peer;
  return {};
}

}  // namespace ringway
