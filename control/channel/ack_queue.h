#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "dataplane/admission/control_packet.h"

namespace ringway {

/// Message ids waiting to be acknowledged, and the ones acknowledged last, which are repeated where
/// there is room so that a lost acknowledgement heals without a retransmission (as OpenVPN 2.6 and
/// 3 do). Pure; owned by one KeyNegotiation; at most kAcksMax waiting, the oldest makes room.
class AckQueue {
 public:
  void push(MessageId id);
  [[nodiscard]] bool has_waiting() const { return waiting_count_ > 0; }
  /// Fills `out` (4 or 8 places): waiting ids first, then the most recently acknowledged, none
  /// twice. Returns how many; the waiting ones among them are waiting no more.
  std::size_t take(std::span<MessageId> out);

 private:
  void remember(MessageId id);

  std::array<MessageId, ControlPacket::kAcksMax> waiting_{};
  std::size_t waiting_count_ = 0;
  std::array<MessageId, ControlPacket::kAcksMax> recent_{};
  std::size_t recent_count_ = 0;
};

}  // namespace ringway
