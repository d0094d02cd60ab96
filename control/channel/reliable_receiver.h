#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/opcode.h"
#include "dataplane/admission/control_packet.h"

namespace ringway {

/// The receiving half of one negotiation's reliability layer: puts messages back in order.
///
///   id in the window and new      buffered, to be acknowledged
///   id already delivered          to be acknowledged again, not delivered
///   id beyond the window          dropped, no acknowledgement
///
/// Pure; owned by one KeyNegotiation; a fixed ring of kWindow copies (security goal A13).
class ReliableReceiver {
 public:
  static constexpr std::uint32_t kWindow = 12;

  struct Message {
    Opcode opcode = Opcode::ControlV1;
    std::vector<std::uint8_t> payload;
  };

  explicit ReliableReceiver(MessageId next_id) : next_id_(next_id) {}

  /// True: acknowledge it. False: dropped as OutsideWindow.
  [[nodiscard]] bool handle_message(Opcode opcode, MessageId id, Bytes payload);
  /// The next message in order.
  std::optional<Message> poll_message();
  [[nodiscard]] MessageId next_id() const { return next_id_; }

 private:
  struct Slot {
    bool used = false;
    Message message;
  };
  std::array<Slot, kWindow> slots_;
  /// The slot of next_id_; those of the following ids are behind it, around the ring.
  std::size_t head_ = 0;
  MessageId next_id_;
};

}  // namespace ringway
