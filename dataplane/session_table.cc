#include "dataplane/session_table.h"

#include "base/check.h"

namespace ringway {
namespace {

std::size_t slots_at_start(const DatapathSettings& settings) {
  RW_ASSERT(settings.worker_count > 0);
  RW_ASSERT(settings.self.value < settings.worker_count);
  return settings.sessions_max / settings.worker_count + 1;
}

}  // namespace

SessionTable::SessionTable(const DatapathSettings& settings)
    : self_(settings.self),
      worker_count_(settings.worker_count),
      key_limits_(settings.key_limits),
      slots_(slots_at_start(settings)),
      by_endpoint_(EndpointHash{settings.address_hash}, settings.sessions_max),
      foreign_(PeerHash{}) {}

Session& SessionTable::add(PeerId peer, const LinkEndpoint& endpoint,
                           const SessionSettings& settings, Instant now) {
  RW_ASSERT(peer.value < PeerId::kUnset);
  RW_ASSERT(owns(peer));
  remove(peer);
  const std::size_t slot = slot_of(peer);
  if (slot >= slots_.size()) slots_.resize(slot + 1);

  slots_[slot] = std::make_unique<Session>(peer, endpoint, settings, now, key_limits_);
  ++session_count_;
  // Where two sessions share an endpoint, the later one is the client that is there now.
  by_endpoint_.insert_or_assign(endpoint, peer);
  return *slots_[slot];
}

void SessionTable::add_foreign(PeerId peer, const LinkEndpoint& endpoint) {
  RW_ASSERT(peer.value < PeerId::kUnset);
  RW_ASSERT(!owns(peer));
  remove(peer);
  foreign_.insert_or_assign(peer, endpoint);
  by_endpoint_.insert_or_assign(endpoint, peer);
}

void SessionTable::move(Session& session, const LinkEndpoint& there, Instant now) {
  forget_endpoint(session.peer_id(), session.endpoint());
  session.move_to(there, now);
  if (!find_endpoint(there).is_set()) by_endpoint_.insert_or_assign(there, session.peer_id());
}

void SessionTable::remove(PeerId peer) {
  if (const LinkEndpoint* const endpoint = foreign_.find(peer)) {
    forget_endpoint(peer, *endpoint);
    foreign_.erase(peer);
    return;
  }
  const Session* const session = find(peer);
  if (session == nullptr) return;

  forget_endpoint(peer, session->endpoint());
  slots_[slot_of(peer)].reset();
  --session_count_;
}

PeerId SessionTable::find_endpoint(const LinkEndpoint& endpoint) const {
  const PeerId* const peer = by_endpoint_.find(endpoint);
  return peer == nullptr ? PeerId{} : *peer;
}

void SessionTable::forget_endpoint(PeerId peer, const LinkEndpoint& endpoint) {
  if (find_endpoint(endpoint) == peer) by_endpoint_.erase(endpoint);
}

}  // namespace ringway
