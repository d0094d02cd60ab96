#include "dataplane/link_feeder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ringway {

LinkFeeder::LinkFeeder(const Settings& settings, const Surroundings& around)
    : around_(around),
      relayed_pool_(settings.relay_budget / settings.packet_size_max + 1, settings.packet_size_max),
      relayed_(relayed_pool_.count()),
      waiting_(around.read_buffers.count() + relayed_.size()),
      outlet_count_(settings.outlet_count),
      queue_({.frames_max = waiting_.size(),
              .outlet_count = settings.outlet_count,
              .kept_frames_max = around.read_buffers.count() / 4 * 3,
              .kept_bytes_max = kWaitingSizeMax,
              .sojourn_max = kSojournMax}) {}

void LinkFeeder::add(std::uint16_t buffer, MutableBytes packet, const RoutedFrame& frame,
                     Instant now) {
  enqueue(buffer, packet, frame, now);
}

void LinkFeeder::forward(MutableBytes packet, const RoutedFrame& frame, Instant now) {
  const std::expected<PeerTarget, Drop> target = around_.datapath.target_of(frame);
  if (!target) return;
  if (queue_.is_empty() && around_.sender.is_ready(target->endpoint().listener)) {
    RoutedFrame at_once = frame;
    static_cast<void>(send(at_once, packet, now));
    return;
  }
  std::optional<PacketBuffer> buffer = relayed_pool_.take();
  if (!buffer) return around_.counters.add(Drop::NoBuffer);
  RW_ASSERT(packet.size() <= buffer->bytes().size());
  const MutableBytes copy = buffer->bytes().first(packet.size());
  std::ranges::copy(packet, copy.begin());
  RoutedFrame moved = frame;
  moved.segmenter.note_moved(copy);
  const auto slot = static_cast<std::uint32_t>(around_.read_buffers.count() + buffer->slot());
  relayed_[buffer->slot()].emplace(std::move(*buffer));
  enqueue(slot, copy, moved, now);
}

void LinkFeeder::enqueue(std::uint32_t slot, MutableBytes packet, const RoutedFrame& frame,
                         Instant now) {
  const std::expected<PeerTarget, Drop> target = around_.datapath.target_of(frame);
  if (!target) return release(slot);
  waiting_[slot].packet = packet;
  waiting_[slot].frame.emplace(frame);
  queue_.push({.slot = slot,
               .size = static_cast<std::uint32_t>(packet.size()),
               .peer = frame.peer,
               .outlet = target->endpoint().listener,
               .since = now});
}

void LinkFeeder::drain(Instant now) {
  is_due_ = false;
  for (std::size_t outlet = 0; outlet < outlet_count_; ++outlet) {
    drain(static_cast<std::uint8_t>(outlet), now);
  }
  if (queue_.is_empty()) return;
  around_.counters.add(Counter::TunWaits);
  if (!around_.sender.is_waiting()) return;
  while (const std::optional<FairQueue::Shed> shed = queue_.shed(now)) {
    const Waiting& waiting = waiting_[shed->frame.slot];
    around_.counters.add(shed->reason, waiting.frame->segmenter.left_count());
    release(shed->frame.slot);
  }
}

void LinkFeeder::drain(std::uint8_t outlet, Instant now) {
  const std::size_t size_max = queue_.is_contended(now) ? kSharedTurnSizeMax : kTurnSizeMax;
  std::size_t sent_size = 0;
  while (const FairQueue::Frame* const front = queue_.front(outlet)) {
    if (sent_size >= size_max) {
      is_due_ = true;
      return;
    }
    if (!around_.sender.is_ready(outlet)) return;
    const std::uint32_t slot = front->slot;
    // What does not fit into the sender's memory goes on where it stopped.
    if (!send(*waiting_[slot].frame, waiting_[slot].packet, now)) return;
    sent_size += front->size;
    queue_.pop(outlet);
    release(slot);
  }
}

/// True when the frame is done with.
bool LinkFeeder::send(RoutedFrame& frame, MutableBytes packet, Instant now) {
  const std::expected<PeerTarget, Drop> target = around_.datapath.target_of(frame);
  if (!target) return true;
  while (frame.segmenter.left_count() > 0) {
    const std::size_t size = target->seal_overhead() + frame.segmenter.next_size();
    const MutableBytes room = around_.sender.reserve(target->endpoint(), size);
    if (room.empty()) return false;
    const std::expected<MutableBytes, Drop> sealed =
        around_.datapath.seal_next(frame, *target, packet, room, now);
    if (!sealed) {
      // Without a key for this packet, there is none for the rest.
      around_.counters.add(sealed.error(), frame.segmenter.left_count());
      return true;
    }
    around_.sender.commit();
  }
  return true;
}

void LinkFeeder::release(std::uint32_t slot) {
  waiting_[slot].frame.reset();
  const std::size_t read_count = around_.read_buffers.count();
  if (slot < read_count) {
    around_.read_buffers.give_back(static_cast<std::uint16_t>(slot));
  } else {
    relayed_[slot - read_count].reset();
  }
}

}  // namespace ringway
