#include "dataplane/fair_queue.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace ringway {

/// Twice as many flows as frames: there are as many with frames as frames at most, and as many
/// again are remembered.
FairQueue::FairQueue(const Settings& settings)
    : settings_(settings),
      places_(settings.frames_max),
      flows_(2 * settings.frames_max),
      buckets_(std::bit_ceil(4 * settings.frames_max), kNone),
      rounds_(settings.outlet_count) {
  RW_ASSERT(settings.frames_max > 0);
  RW_ASSERT(settings.outlet_count > 0);
  unused_.reserve(flows_.size());
  for (std::size_t i = flows_.size(); i > 0; --i) {
    unused_.push_back(static_cast<std::uint32_t>(i - 1));
  }
}

void FairQueue::push(const Frame& frame) {
  RW_ASSERT(frame.slot < places_.size());
  RW_ASSERT(frame.outlet < rounds_.size());
  Place& place = places_[frame.slot];
  RW_ASSERT(place.flow == kNone);
  const std::uint32_t index = flow_of(frame);
  Flow& flow = flows_[index];

  place = {.frame = frame, .flow = index, .older = youngest_};
  (flow.first == kNone ? flow.first : places_[flow.last].next) = frame.slot;
  flow.last = frame.slot;
  (youngest_ == kNone ? oldest_ : places_[youngest_].younger) = frame.slot;
  youngest_ = frame.slot;
  flow.byte_count += frame.size;
  byte_count_ += frame.size;
  ++frame_count_;
  if (last_peer_.is_set() && frame.peer != last_peer_) contended_until_ = frame.since + kContention;
  last_peer_ = frame.peer;
}

std::size_t FairQueue::bucket_of(PeerId peer) const {
  // Peer ids are ours and come one after the other, so that nobody can aim at a bucket.
  return peer.value & (buckets_.size() - 1);
}

std::uint32_t FairQueue::flow_of(const Frame& frame) {
  const std::size_t bucket = bucket_of(frame.peer);
  for (std::uint32_t i = buckets_[bucket]; i != kNone; i = flows_[i].next_in_bucket) {
    if (flows_[i].peer == frame.peer && flows_[i].outlet == frame.outlet) return i;
  }
  if (unused_.empty()) forget_idle();
  return new_flow(frame, bucket);
}

std::uint32_t FairQueue::new_flow(const Frame& frame, std::size_t bucket) {
  RW_ASSERT(!unused_.empty());
  const std::uint32_t index = unused_.back();
  unused_.pop_back();
  flows_[index] = {.peer = frame.peer,
                   .outlet = frame.outlet,
                   .is_used = true,
                   .is_fresh = true,
                   .deficit = kQuantum,
                   .next_in_bucket = buckets_[bucket]};
  buckets_[bucket] = index;
  append(rounds_[frame.outlet].fresh, index);
  return index;
}

/// Turns that nobody waits for need not be waited for.
void FairQueue::forget_idle() {
  for (Rounds& rounds : rounds_) {
    for (Line* line : {&rounds.fresh, &rounds.known, &rounds.aside}) {
      Line kept;
      while (line->first != kNone) {
        const std::uint32_t index = take_first(*line);
        if (flows_[index].first == kNone) {
          forget(index);
        } else {
          append(kept, index);
        }
      }
      *line = kept;
    }
  }
}

void FairQueue::forget(std::uint32_t index) {
  std::uint32_t* link = &buckets_[bucket_of(flows_[index].peer)];
  while (*link != index) link = &flows_[*link].next_in_bucket;
  *link = flows_[index].next_in_bucket;
  flows_[index].is_used = false;
  unused_.push_back(index);
}

void FairQueue::append(Line& line, std::uint32_t flow) {
  flows_[flow].next = kNone;
  (line.first == kNone ? line.first : flows_[line.last].next) = flow;
  line.last = flow;
}

std::uint32_t FairQueue::take_first(Line& line) {
  return std::exchange(line.first, flows_[line.first].next);
}

/// Ends, because each step either forgets a flow, makes a fresh one a known one, or brings a known
/// one a quantum nearer to its turn.
const FairQueue::Frame* FairQueue::front(std::uint8_t outlet) {
  Rounds& rounds = rounds_.at(outlet);
  for (;;) {
    Line& line = rounds.fresh.first != kNone ? rounds.fresh : rounds.known;
    if (line.first == kNone) return nullptr;
    Flow& flow = flows_[line.first];
    if (flow.first != kNone && flow.deficit > 0) return &places_[flow.first].frame;

    const std::uint32_t index = take_first(line);
    if (flow.first == kNone && !flow.is_fresh) {
      forget(index);
      continue;
    }
    // A fresh flow that is empty is remembered for a round, or it would be fresh again at once.
    if (flow.first != kNone) flow.deficit += kQuantum;
    flow.is_fresh = false;
    append(rounds.known, index);
  }
}

void FairQueue::pop(std::uint8_t outlet) {
  const Frame* const frame = front(outlet);
  RW_ASSERT(frame != nullptr);
  const std::uint32_t index = places_[frame->slot].flow;
  flows_[index].deficit -= frame->size;
  static_cast<void>(take_oldest_of(index));
}

void FairQueue::set_aside(std::uint8_t outlet) {
  const Frame* const frame = front(outlet);
  RW_ASSERT(frame != nullptr);
  Rounds& rounds = rounds_[outlet];
  const std::uint32_t index = places_[frame->slot].flow;
  Line& line = rounds.fresh.first == index ? rounds.fresh : rounds.known;
  RW_ASSERT(line.first == index);
  append(rounds.aside, take_first(line));
  flows_[index].is_fresh = false;
}

void FairQueue::resume(std::uint8_t outlet) {
  Rounds& rounds = rounds_.at(outlet);
  while (rounds.aside.first != kNone) append(rounds.known, take_first(rounds.aside));
}

FairQueue::Frame FairQueue::take_oldest_of(std::uint32_t index) {
  Flow& flow = flows_[index];
  RW_ASSERT(flow.first != kNone);
  Place& place = places_[flow.first];
  flow.first = place.next;
  (place.older == kNone ? oldest_ : places_[place.older].younger) = place.younger;
  (place.younger == kNone ? youngest_ : places_[place.younger].older) = place.older;
  flow.byte_count -= place.frame.size;
  byte_count_ -= place.frame.size;
  --frame_count_;
  place.flow = kNone;
  return place.frame;
}

std::optional<FairQueue::Shed> FairQueue::shed(Instant now) {
  if (frame_count_ == 0) return std::nullopt;
  if (frame_count_ > settings_.kept_frames_max || byte_count_ > settings_.kept_bytes_max) {
    return Shed{take_oldest_of(longest()), Drop::QueueOverflow};
  }
  // The oldest of all is the oldest of its peer, too.
  const Place& oldest = places_[oldest_];
  if (now - oldest.frame.since <= settings_.sojourn_max) return std::nullopt;
  return Shed{take_oldest_of(oldest.flow), Drop::Sojourn};
}

/// Walks over the frames, which shed() bounds, and not over the flows: of those, thousands may be
/// remembered that have none, and this happens for each frame that is dropped.
std::uint32_t FairQueue::longest() const {
  std::uint32_t longest = kNone;
  for (std::uint32_t slot = oldest_; slot != kNone; slot = places_[slot].younger) {
    const std::uint32_t flow = places_[slot].flow;
    if (longest == kNone || flows_[flow].byte_count > flows_[longest].byte_count) longest = flow;
  }
  return longest;
}

}  // namespace ringway
