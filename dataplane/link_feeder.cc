#include "dataplane/link_feeder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tun/fitted_packets.h"
#include "tun/too_big.h"

namespace ringway {
namespace {

/// All packets of a frame have the size of its first, but the last may be smaller.
bool is_misfit(const RoutedFrame& frame, const PeerTarget& target) {
  const std::size_t size = frame.segmenter.next_size();
  return size > target.packet_max && size > inner_limit(frame.segmenter.ip(), target.packet_max);
}

}  // namespace

LinkFeeder::LinkFeeder(const Settings& settings, const Surroundings& around)
    : around_(around),
      relayed_pool_(settings.relay_budget / settings.packet_size_max + 1, settings.packet_size_max),
      divided_(settings.packet_size_max),
      piece_(settings.packet_size_max),
      relayed_(relayed_pool_.count()),
      waiting_(around.read_buffers.count() + relayed_.size()),
      socket_count_(settings.socket_count),
      queue_({.frames_max = waiting_.size(),
              .outlet_count = settings.socket_count + 1,
              .kept_frames_max = around.read_buffers.count() / 4 * 3,
              .kept_bytes_max = kWaitingSizeMax,
              .sojourn_max = kSojournMax}) {}

void LinkFeeder::add(std::uint16_t buffer, MutableBytes packet, const RoutedFrame& frame,
                     Instant now) {
  const std::expected<PeerTarget, Drop> target = around_.datapath.target_of(frame);
  if (!target) return release(buffer);
  if (is_misfit(frame, *target)) {
    refit(packet, frame, *target, {}, now);
    return release(buffer);
  }
  enqueue(buffer, packet, frame, *target, now);
}

void LinkFeeder::forward(MutableBytes packet, const RoutedFrame& frame, const Origin& origin,
                         Instant now) {
  const std::expected<PeerTarget, Drop> target = around_.datapath.target_of(frame);
  if (!target) return;
  if (is_misfit(frame, *target)) return refit(packet, frame, *target, origin, now);
  forward_fitting(packet, frame, *target, now);
}

/// What is made of a frame waits in copies of its own.
void LinkFeeder::refit(MutableBytes packet, const RoutedFrame& frame, const PeerTarget& target,
                       const Origin& origin, Instant now) {
  const std::size_t limit = inner_limit(frame.segmenter.ip(), target.packet_max);
  if (!FittedPackets::can_fit(frame.segmenter, limit)) {
    around_.counters.add(Drop::TooBig, frame.segmenter.left_count());
    return around_.outbox.answer(frame.segmenter, packet,
                                 {.peer = origin.peer.is_set() ? origin.peer : frame.peer,
                                  .path_limit = limit,
                                  .to = origin.to,
                                  .now = now});
  }
  FittedPackets packets(frame.segmenter, packet, limit);
  while (packets.next_size() > 0) {
    const MutableBytes piece = packets.write_next(piece_);
    const std::expected<IpPacket, Drop> ip = parse_ip_packet(piece);
    RW_ASSERT(ip.has_value());
    const auto segmenter = Segmenter::start({}, *ip);
    RW_ASSERT(segmenter.has_value());
    forward_fitting(piece, {.owner = frame.owner, .peer = frame.peer, .segmenter = *segmenter},
                    target, now);
  }
  around_.counters.add(Counter::InnerFragmentedPackets, packets.cut_count());
  around_.counters.add(Counter::InnerFragments, packets.fragment_count());
}

void LinkFeeder::forward_fitting(MutableBytes packet, const RoutedFrame& frame,
                                 const PeerTarget& target, Instant now) {
  if (queue_.is_empty() && is_ready(target.endpoint())) {
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
  enqueue(slot, copy, moved, target, now);
}

void LinkFeeder::enqueue(std::uint32_t slot, MutableBytes packet, const RoutedFrame& frame,
                         const PeerTarget& target, Instant now) {
  waiting_[slot].packet = packet;
  waiting_[slot].frame.emplace(frame);
  queue_.push({.slot = slot,
               .size = static_cast<std::uint32_t>(packet.size()),
               .peer = frame.peer,
               .outlet = outlet_of(target.endpoint()),
               .since = now});
}

bool LinkFeeder::is_ready(const LinkEndpoint& endpoint) {
  if (!endpoint.is_tcp()) return around_.sender.is_ready(endpoint.listener);
  return around_.streams == nullptr || around_.streams->is_ready(endpoint.connection);
}

void LinkFeeder::drain(Instant now) {
  is_due_ = false;
  for (std::size_t outlet = 0; outlet < socket_count_; ++outlet) {
    drain_socket(static_cast<std::uint8_t>(outlet), now);
  }
  if (around_.streams != nullptr) drain_streams(now);
  if (queue_.is_empty()) return;
  around_.counters.add(Counter::TunWaits);
  if (has_set_aside()) around_.counters.add(Counter::StreamWaits);
  if (!around_.sender.is_waiting() && !has_set_aside()) return;
  while (const std::optional<FairQueue::Shed> shed = queue_.shed(now)) {
    const Waiting& waiting = waiting_[shed->frame.slot];
    around_.counters.add(shed->reason, waiting.frame->segmenter.left_count());
    release(shed->frame.slot);
  }
}

std::size_t LinkFeeder::turn_size_max(Instant now) const {
  return queue_.is_contended(now) ? kSharedTurnSizeMax : kTurnSizeMax;
}

void LinkFeeder::drain_socket(std::uint8_t outlet, Instant now) {
  const std::size_t size_max = turn_size_max(now);
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

/// A client whose connection takes no more misses its turns in this drain(), and nobody else does.
void LinkFeeder::drain_streams(Instant now) {
  const std::uint8_t outlet = stream_outlet();
  queue_.resume(outlet);
  const std::size_t size_max = turn_size_max(now);
  std::size_t sent_size = 0;
  while (const FairQueue::Frame* const front = queue_.front(outlet)) {
    if (sent_size >= size_max) {
      is_due_ = true;
      return;
    }
    const std::uint32_t slot = front->slot;
    if (!send(*waiting_[slot].frame, waiting_[slot].packet, now)) {
      queue_.set_aside(outlet);
      continue;
    }
    sent_size += front->size;
    queue_.pop(outlet);
    release(slot);
  }
}

/// True when the frame is done with.
bool LinkFeeder::send(RoutedFrame& frame, MutableBytes packet, Instant now) {
  const std::expected<PeerTarget, Drop> target = around_.datapath.target_of(frame);
  if (!target) return true;
  if (!target->endpoint().is_tcp()) {
    const std::uint8_t outer_class = target->outer_class(frame.segmenter.ip());
    const auto room = [&](std::size_t size) {
      return around_.sender.reserve(target->endpoint(), size, outer_class);
    };
    return send_by(around_.sender, room, frame, *target, packet, now);
  }
  if (around_.streams == nullptr) return true;
  const auto room = [&](std::size_t size) {
    return around_.streams->reserve(target->endpoint().connection, size);
  };
  return send_by(*around_.streams, room, frame, *target, packet, now);
}

template <typename Outlet, typename Room>
bool LinkFeeder::send_by(Outlet& outlet, const Room& room_for, RoutedFrame& frame,
                         const PeerTarget& target, MutableBytes packet, Instant now) {
  while (frame.segmenter.left_count() > 0) {
    const std::size_t size = target.seal_overhead() + frame.segmenter.next_size();
    const bool is_divided = frame.segmenter.next_size() > target.session->packet_max();
    const MutableBytes room = is_divided ? MutableBytes(divided_).first(size) : room_for(size);
    if (room.empty()) return false;
    const std::expected<MutableBytes, Drop> sealed =
        around_.datapath.seal_next(frame, target, packet, room, now);
    if (!sealed) {
      // Without a key for this packet, there is none for the rest.
      around_.counters.add(sealed.error(), frame.segmenter.left_count());
      return true;
    }
    is_divided ? send_divided(*sealed, target.endpoint()) : outlet.commit();
  }
  return true;
}

/// What is larger than the path carries, and whose sender nobody could tell: the one case in which
/// a packet is fragmented outside (RFC 2473 7.1).
void LinkFeeder::send_divided(MutableBytes sealed, const LinkEndpoint& to) {
  around_.sender.send_divisible(to, sealed).count_in(around_.counters);
  around_.counters.add(Counter::LinkFragmented);
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
