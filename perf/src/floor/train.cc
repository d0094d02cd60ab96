#include "perf/src/floor/train.h"

#include "base/check.h"
#include "base/opcode.h"

namespace ringway::floor {

bool Train::has_room_for(std::size_t packet_size) const {
  if (is_empty()) return true;
  const std::size_t size = packet_size + kOverhead;
  return !is_closed_ && count_ < kDatagramsMax && size <= segment_size_ && size_ + size <= kSizeMax;
}

MutableBytes Train::append(std::size_t packet_size) {
  RW_ASSERT(has_room_for(packet_size));
  const std::size_t size = packet_size + kOverhead;
  RW_ASSERT(size_ + size <= kSizeMax);
  if (is_empty()) segment_size_ = size;
  is_closed_ = size < segment_size_;
  std::uint8_t* header = memory_.data() + size_;
  store_be32(header, std::uint32_t{first_byte(Opcode::DataV2, {0})} << 24);
  store_be32(header + 4, ++packet_id_);
  store_be64(header + 8, 0);
  store_be64(header + 16, 0);
  const MutableBytes packet = MutableBytes(memory_).subspan(size_ + kOverhead, packet_size);
  size_ += size;
  ++count_;
  return packet;
}

void Train::clear() {
  size_ = 0;
  count_ = 0;
  is_closed_ = false;
}

}  // namespace ringway::floor
