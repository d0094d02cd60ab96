#include "dataplane/housekeeping.h"

#include <algorithm>
#include <utility>

namespace ringway {
namespace {

constexpr Instant kNever{Duration::max()};

}  // namespace

Housekeeping::Housekeeping(const SessionTable& sessions)
    : sessions_(sessions),
      deadlines_(sessions.slot_count(), kNever),
      notes_(sessions.slot_count()) {
  messages_.make_room(sessions.slot_count());
  reports_.make_room(sessions.slot_count());
}

void Housekeeping::watch(const Session& session, Instant now) {
  if (deadlines_.size() < sessions_.slot_count()) {
    deadlines_.resize(sessions_.slot_count(), kNever);
    notes_.resize(sessions_.slot_count());
    messages_.make_room(sessions_.slot_count());
    reports_.make_room(sessions_.slot_count());
  }
  const std::size_t slot = sessions_.slot_of(session.peer_id());
  deadlines_[slot] = deadline_of(session, now);
  next_walk_ = std::min(next_walk_, std::max(deadlines_[slot], last_walk_ + kTick));
}

void Housekeeping::forget(Session& session) {
  path_counts_.add(session.take_path_counts());
  const std::size_t slot = sessions_.slot_of(session.peer_id());
  deadlines_[slot] = kNever;
  notes_[slot] = {};
}

void Housekeeping::note_exit(const Session& session) {
  const std::size_t slot = sessions_.slot_of(session.peer_id());
  if (notes_[slot].exit_reported) return;
  notes_[slot].exited = true;
  notes_[slot].exit_reported = true;
  reports_.push(slot);
}

void Housekeeping::note_float(const Session& session) {
  const std::size_t slot = sessions_.slot_of(session.peer_id());
  notes_[slot].floated = true;
  notes_[slot].claimed.reset();
  reports_.push(slot);
}

void Housekeeping::note_claim(const Session& session, const LinkEndpoint& there) {
  const std::size_t slot = sessions_.slot_of(session.peer_id());
  notes_[slot].claimed = there;
  reports_.push(slot);
}

void Housekeeping::handle_timeout(Instant now) {
  if (now < next_walk_) return;

  Instant earliest = kNever;
  for (std::size_t slot = 0; slot < deadlines_.size(); ++slot) {
    if (deadlines_[slot] <= now) {
      Session* const session = sessions_.at(slot);
      if (session != nullptr) inspect(slot, *session, now);
    }
    earliest = std::min(earliest, deadlines_[slot]);
  }
  last_walk_ = now;
  next_walk_ = std::clamp(earliest, now + kTick, now + kIdleInterval);
}

Session* Housekeeping::next_sender(Instant now) {
  while (const std::optional<std::size_t> slot = messages_.pop()) {
    Session* const session = sessions_.at(*slot);
    // A packet may have gone out since, or the session may be gone.
    if (session == nullptr) continue;
    if (session->has_message() || session->ping_timer().ping_is_due(now)) return session;
  }
  return nullptr;
}

std::optional<WorkerReport> Housekeeping::poll_report() {
  while (const std::optional<std::size_t> slot = reports_.pop()) {
    const Session* const session = sessions_.at(*slot);
    if (session == nullptr) continue;
    std::optional<WorkerReport> report = next_report(*session, notes_[*slot]);
    if (!report) continue;
    // It may have more to say.
    reports_.push(*slot);
    return report;
  }
  return std::nullopt;
}

/// Where a peer is comes before what is then sent to it, and before its goodbye.
std::optional<WorkerReport> Housekeeping::next_report(const Session& session, Notes& notes) {
  const PeerId peer = session.peer_id();
  if (std::exchange(notes.floated, false)) {
    return PeerFloated{.peer_id = peer, .endpoint = session.endpoint()};
  }
  if (notes.claimed) {
    return EndpointClaimed{.peer_id = peer, .endpoint = *std::exchange(notes.claimed, {})};
  }
  if (notes.worn_key) {
    return KeyWearingOut{.peer_id = peer, .key_id = *std::exchange(notes.worn_key, {})};
  }
  if (std::exchange(notes.idle, false)) {
    return PeerIdle{.peer_id = peer, .last_received = session.ping_timer().last_received()};
  }
  if (std::exchange(notes.exited, false)) return PeerExited{.peer_id = peer};
  return std::nullopt;
}

void Housekeeping::inspect(std::size_t slot, Session& session, Instant now) {
  session.keys().expire(now);
  if (const std::optional<KeyId> worn = session.keys().take_worn_key()) {
    notes_[slot].worn_key = worn;
    reports_.push(slot);
  }
  if (session.ping_timer().take_idle_notice(now)) {
    notes_[slot].idle = true;
    reports_.push(slot);
  }
  session.handle_timeout(now);
  path_counts_.add(session.take_path_counts());
  if (session.has_message() || session.ping_timer().ping_is_due(now)) messages_.push(slot);
  deadlines_[slot] = deadline_of(session, now);
}

Instant Housekeeping::deadline_of(const Session& session, Instant now) {
  Instant deadline = std::min(
      {session.ping_timer().deadline(), session.path_deadline(), now + kInspectionInterval});
  if (const std::optional<Instant> due = session.key_deadline())
    deadline = std::min(deadline, *due);
  return deadline;
}

}  // namespace ringway
