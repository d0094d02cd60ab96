#include "control/channel/reliable_receiver.h"

#include <utility>

namespace ringway {

bool ReliableReceiver::handle_message(Opcode opcode, MessageId id, Bytes payload) {
  // Modulo 2^32: an id of the past is a huge distance ahead.
  const std::uint32_t ahead = id.value - next_id_.value;
  constexpr std::uint32_t kPast = std::uint32_t{1} << 31;
  if (ahead >= kPast) return true;
  if (ahead >= kWindow) return false;

  Slot& slot = slots_[(head_ + ahead) % kWindow];
  if (slot.used) return true;
  slot.used = true;
  slot.message.opcode = opcode;
  slot.message.payload.assign(payload.begin(), payload.end());
  return true;
}

std::optional<ReliableReceiver::Message> ReliableReceiver::poll_message() {
  Slot& slot = slots_[head_];
  if (!slot.used) return std::nullopt;
  slot.used = false;
  head_ = (head_ + 1) % kWindow;
  ++next_id_.value;
  return std::exchange(slot.message, {});
}

}  // namespace ringway
