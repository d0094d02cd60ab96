#include "dataplane/packet_buffer.h"

#include <algorithm>

namespace ringway {
namespace {

std::size_t stride_of(std::size_t size) {
  if (size < BufferSlots::kPage) return size;
  const std::size_t pages =
      (size - BufferSlots::kStagger + BufferSlots::kPage - 1) / BufferSlots::kPage;
  return pages * BufferSlots::kPage + BufferSlots::kStagger;
}

}  // namespace

BufferSlots::BufferSlots(std::size_t count, std::size_t size)
    : size_((size + kAlignment - 1) / kAlignment * kAlignment),
      stride_(stride_of(size_)),
      memory_(count * stride_),
      owners_(count, BufferOwner::Free) {
  poison({memory_.data(), memory_.size()});
}

void BufferSlots::pass(std::uint32_t slot, BufferOwner from, BufferOwner to) {
  RW_ASSERT(slot < owners_.size());
  RW_ASSERT(owners_[slot] == from);
  owners_[slot] = to;
  if (from == BufferOwner::Free) unpoison(bytes(slot));
#ifdef RINGWAY_DEBUG_CHECKS
  if (to == BufferOwner::Free) std::ranges::fill(bytes(slot), std::uint8_t{0xdd});
#endif
  if (to == BufferOwner::Free) poison(bytes(slot));
}

BufferPool::BufferPool(std::size_t count, std::size_t size) : slots_(count, size) {
  free_.reserve(count);
  // The buffer used last is still in the cache: take() goes from the back.
  for (std::size_t slot = count; slot > 0; --slot) {
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
  }
}

std::optional<PacketBuffer> BufferPool::take() {
  if (free_.empty()) return std::nullopt;
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_.pass(slot, BufferOwner::Free, BufferOwner::User);
  return PacketBuffer(*this, slot);
}

PacketBuffer BufferPool::take_back(std::uint32_t slot) {
  slots_.pass(slot, BufferOwner::Kernel, BufferOwner::User);
  return PacketBuffer(*this, slot);
}

PacketBuffer::~PacketBuffer() {
  if (pool_ == nullptr) return;
  pool_->slots_.pass(slot_, BufferOwner::User, BufferOwner::Free);
  pool_->free_.push_back(slot_);
}

void PacketBuffer::lend_to_kernel() {
  std::exchange(pool_, nullptr)->slots_.pass(slot_, BufferOwner::User, BufferOwner::Kernel);
}

}  // namespace ringway
