#include "control/channel/reliable_sender.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {
namespace {

/// As many acknowledgements of later messages say that this one was lost, not late.
constexpr std::uint32_t kFastRetransmitAcks = 3;

}  // namespace

ReliableSender::ReliableSender(MessageId first_id, Duration tls_timeout)
    : next_id_(first_id), tls_timeout_(std::min(tls_timeout, kBackoffMax)) {}

bool ReliableSender::has_room() const {
  return std::ranges::none_of(window_, [&](const Outstanding& message) {
    return message.used && age_of(message) >= kWindow;
  });
}

void ReliableSender::queue(Opcode opcode, Bytes payload, Instant now) {
  RW_ASSERT(has_room());
  RW_ASSERT(payload.size() <= ControlPacket::kPayloadSizeMax);
  // At most kWindow ids are outstanding, the new one included, so a slot is free.
  const auto free = std::ranges::find(window_, false, &Outstanding::used);
  RW_ASSERT(free != window_.end());
  free->used = true;
  free->sent = false;
  free->opcode = opcode;
  free->id = next_id_;
  free->due = now;
  free->backoff = tls_timeout_;
  free->later_acks = 0;
  free->payload.assign(payload.begin(), payload.end());
  ++next_id_.value;
}

void ReliableSender::handle_ack(MessageId id, Instant now) {
  // An id that was never sent cannot be acknowledged: the peer is broken or forged (A12).
  const auto acknowledged = std::ranges::find_if(window_, [&](const Outstanding& message) {
    return message.used && message.sent && message.id == id;
  });
  if (acknowledged == window_.end()) return;
  acknowledged->used = false;
  acknowledged->payload.clear();

  for (Outstanding& message : window_) {
    if (!message.used || !message.sent || age_of(message) < age_of(*acknowledged)) continue;
    ++message.later_acks;
    if (message.later_acks == kFastRetransmitAcks) message.due = std::min(message.due, now);
  }
}

std::optional<ReliableSender::Message> ReliableSender::poll_transmit(Instant now) {
  Outstanding* oldest = nullptr;
  for (Outstanding& message : window_) {
    if (!message.used || message.due > now) continue;
    if (oldest == nullptr || age_of(message) > age_of(*oldest)) oldest = &message;
  }
  if (oldest == nullptr) return std::nullopt;

  oldest->sent = true;
  oldest->later_acks = 0;
  oldest->due = now + oldest->backoff;
  oldest->backoff = std::min(2 * oldest->backoff, kBackoffMax);
  return Message{.opcode = oldest->opcode, .id = oldest->id, .payload = oldest->payload};
}

std::optional<Instant> ReliableSender::poll_timeout() const {
  std::optional<Instant> earliest;
  for (const Outstanding& message : window_) {
    if (message.used && (!earliest || message.due < *earliest)) earliest = message.due;
  }
  return earliest;
}

bool ReliableSender::all_acknowledged() const {
  return std::ranges::none_of(window_, &Outstanding::used);
}

void ReliableSender::expedite(Instant now) {
  for (Outstanding& message : window_) {
    if (message.used) message.due = std::min(message.due, now);
  }
}

}  // namespace ringway
