#include "dataplane/packet_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace ringway {
namespace {

/// Records start on multiples of this, so that at the end of the memory there is always room for a
/// size field.
constexpr std::size_t kAlignment = 8;
/// In place of a size: the rest of the memory is unused, the next record is at its beginning.
constexpr std::uint32_t kSkip = 0xffff'ffff;
constexpr std::size_t kCapacityMin = 4096;

constexpr std::size_t footprint(std::size_t packet_size) {
  return (PacketRing::kRecordOverhead + packet_size + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

PacketRing::PacketRing(std::size_t capacity)
    : capacity_(std::bit_ceil(std::max(capacity, kCapacityMin))),
      memory_(std::make_unique<std::uint8_t[]>(capacity_)) {
  static_assert(std::is_trivially_copyable_v<Header>);
}

bool PacketRing::push(const PacketOrigin& origin, Bytes bytes) {
  const std::size_t needed = footprint(bytes.size());
  if (needed > capacity_ / 2) return false;
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::size_t offset = tail & (capacity_ - 1);
  const std::size_t to_end = capacity_ - offset;
  const std::size_t skipped = to_end < needed ? to_end : 0;
  if (capacity_ - (tail - head_seen_) < skipped + needed) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (capacity_ - (tail - head_seen_) < skipped + needed) return false;
  }

  if (skipped > 0) std::memcpy(memory_.get() + offset, &kSkip, sizeof kSkip);
  std::uint8_t* record = memory_.get() + (skipped > 0 ? 0 : offset);
  const Header header{.size = static_cast<std::uint32_t>(bytes.size()), .origin = origin};
  std::memcpy(record, &header, sizeof header);
  if (!bytes.empty()) std::memcpy(record + kRecordOverhead, bytes.data(), bytes.size());
  tail_.store(tail + skipped + needed, std::memory_order_release);
  return true;
}

bool PacketRing::observe() {
  tail_seen_ = tail_.load(std::memory_order_acquire);
  return tail_seen_ != head_.load(std::memory_order_relaxed);
}

std::optional<PacketRing::Record> PacketRing::front() {
  std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_seen_) return std::nullopt;
  std::size_t offset = head & (capacity_ - 1);
  std::uint32_t size = 0;
  std::memcpy(&size, memory_.get() + offset, sizeof size);
  if (size == kSkip) {
    // A skip is always followed by the record that did not fit, pushed in the same step.
    head += capacity_ - offset;
    head_.store(head, std::memory_order_release);
    offset = 0;
  }

  Header header;
  std::memcpy(&header, memory_.get() + offset, sizeof header);
  RW_ASSERT(header.size <= capacity_ / 2);
  return Record{.origin = header.origin,
                .bytes = {memory_.get() + offset + kRecordOverhead, header.size}};
}

void PacketRing::pop() {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  RW_ASSERT(head != tail_seen_);
  std::uint32_t size = 0;
  std::memcpy(&size, memory_.get() + (head & (capacity_ - 1)), sizeof size);
  RW_ASSERT(size != kSkip);
  head_.store(head + footprint(size), std::memory_order_release);
}

}  // namespace ringway
