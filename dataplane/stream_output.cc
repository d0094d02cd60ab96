#include "dataplane/stream_output.h"

#include <utility>

#include "base/check.h"
#include "dataplane/stream_framing.h"

namespace ringway {

StreamChunks::Chunk StreamChunks::take() {
  if (spare_.empty()) return std::make_unique_for_overwrite<std::uint8_t[]>(kSize);
  Chunk chunk = std::move(spare_.back());
  spare_.pop_back();
  return chunk;
}

StreamOutput::~StreamOutput() {
  RW_ASSERT(in_flight_ == 0);
  give_back(first_);
  give_back(second_);
}

bool StreamOutput::has_room(std::size_t size) const {
  return second_.room() >= kFrameHeaderSize + size;
}

MutableBytes StreamOutput::reserve(std::size_t size) {
  const std::size_t needed = kFrameHeaderSize + size;
  RW_ASSERT(size > 0);
  RW_ASSERT(needed <= StreamChunks::kSize);
  Part& part = second_.is_empty() && first_.room() >= needed ? first_ : second_;
  if (part.room() < needed) return {};
  if (part.chunk == nullptr) part.chunk = chunks_.take();
  reserved_in_ = &part;
  reserved_size_ = size;
  return {part.chunk.get() + part.end + kFrameHeaderSize, size};
}

std::size_t StreamOutput::commit() {
  RW_ASSERT(reserved_in_ != nullptr);
  Part& part = *std::exchange(reserved_in_, nullptr);
  write_frame_header({part.chunk.get() + part.end, kFrameHeaderSize}, reserved_size_);
  part.end += kFrameHeaderSize + reserved_size_;
  return reserved_size_;
}

Bytes StreamOutput::to_send() const {
  if (in_flight_ > 0 || first_.is_empty()) return {};
  return {first_.chunk.get() + first_.begin, first_.end - first_.begin};
}

void StreamOutput::note_prepared() {
  RW_ASSERT(in_flight_ == 0);
  in_flight_ = first_.end - first_.begin;
  RW_ASSERT(in_flight_ > 0);
}

void StreamOutput::note_sent(std::size_t size) {
  RW_ASSERT(size <= in_flight_);
  in_flight_ = 0;
  reserved_in_ = nullptr;
  first_.begin += size;
  if (!first_.is_empty()) return;
  give_back(first_);
  std::swap(first_, second_);
}

void StreamOutput::give_back(Part& part) {
  if (part.chunk != nullptr) chunks_.give_back(std::move(part.chunk));
  part = {};
}

}  // namespace ringway
