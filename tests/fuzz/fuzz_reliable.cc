#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "control/channel/ack_queue.h"
#include "control/channel/reliable_receiver.h"
#include "control/channel/reliable_sender.h"

namespace {

using namespace ringway;

struct InFlight {
  MessageId id;
  std::vector<std::uint8_t> payload;
};

/// One direction of a control channel over a wire that loses, repeats, reorders and invents.
/// The model is the plain sequence 0, 1, 2...: message n carries n, and must come out n-th.
class Wire {
 public:
  void step(std::uint8_t action, std::uint32_t argument) {
    switch (action % 7) {
      case 0: queue(); break;
      case 1: now_ = now_ + 1ms * (argument % 5000); break;
      case 2: transmit(); break;
      case 3: deliver(argument, argument % 3 == 0); break;
      case 4: acknowledge(argument % 2 == 0 ? 4 : 8, argument % 3 == 0); break;
      case 5:
        sender_.handle_ack({argument}, now_);
        invented_.insert(argument);
        break;
      case 6: lose(argument); break;
    }
    check();
  }

  /// From here on nothing is lost: everything must arrive. Not so after a forged acknowledgement: a
  /// peer that denies itself a message gets no further.
  void settle() {
    if (!invented_.empty()) return;
    for (int round = 0; round < 200 && !sender_.all_acknowledged(); ++round) {
      now_ = now_ + ReliableSender::kBackoffMax;
      transmit();
      while (!flight_.empty()) deliver(0, false);
      acknowledge(8, false);
      acknowledge(8, false);
    }
    RW_ASSERT(sender_.all_acknowledged());
    RW_ASSERT(delivered_ == queued_);
  }

 private:
  void queue() {
    if (!sender_.has_room()) return;
    std::uint8_t payload[4];
    store_be32(payload, queued_++);
    sender_.queue(Opcode::ControlV1, payload, now_);
  }

  void transmit() {
    std::uint32_t last = 0;
    bool first = true;
    while (const auto message = sender_.poll_transmit(now_)) {
      RW_ASSERT(first || message->id.value > last);  // Lowest first.
      RW_ASSERT(load_be32(message->payload.data()) == message->id.value);
      first = false;
      last = message->id.value;
      flight_.push_back({message->id, {message->payload.begin(), message->payload.end()}});
    }
    if (const auto next = sender_.poll_timeout()) RW_ASSERT(*next > now_);
  }

  void deliver(std::uint32_t which, bool keep_a_copy) {
    if (flight_.empty()) return;
    const auto at = flight_.begin() + static_cast<std::ptrdiff_t>(which % flight_.size());
    const InFlight packet = *at;
    if (!keep_a_copy || flight_.size() > 64) flight_.erase(at);
    if (receiver_.handle_message(Opcode::ControlV1, packet.id, packet.payload)) {
      acks_.push(packet.id);
    }
    while (const auto message = receiver_.poll_message()) {
      RW_ASSERT(load_be32(message->payload.data()) == delivered_);
      ++delivered_;
    }
  }

  void acknowledge(std::size_t places, bool lost) {
    std::array<MessageId, ControlPacket::kAcksMax> ids;
    const std::size_t count = acks_.take(std::span(ids).first(places));
    RW_ASSERT(count <= places);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < i; ++j) RW_ASSERT(ids[i] != ids[j]);
      RW_ASSERT(ids[i].value < queued_);
      if (!lost) sender_.handle_ack(ids[i], now_);
    }
  }

  void lose(std::uint32_t which) {
    if (flight_.empty()) return;
    flight_.erase(flight_.begin() + static_cast<std::ptrdiff_t>(which % flight_.size()));
  }

  void check() const {
    RW_ASSERT(delivered_ <= queued_);
    RW_ASSERT(receiver_.next_id().value == delivered_);
    // Without forged acknowledgements the window holds what the receiver can buffer.
    if (invented_.empty()) RW_ASSERT(queued_ - delivered_ <= ReliableReceiver::kWindow);
  }

  Instant now_{1000s};
  ReliableSender sender_{{0}, 2s};
  ReliableReceiver receiver_{{0}};
  AckQueue acks_;
  std::deque<InFlight> flight_;
  std::set<std::uint32_t> invented_;
  std::uint32_t queued_ = 0;
  std::uint32_t delivered_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader({data, size});
  Wire wire;
  for (int steps = 0; reader.left() > 0 && steps < 4096; ++steps) {
    const std::uint8_t action = reader.u8();
    wire.step(action, reader.u8());
  }
  wire.settle();
  return 0;
}
