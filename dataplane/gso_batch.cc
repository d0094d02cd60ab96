#include "dataplane/gso_batch.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

void GsoBatch::start(MutableBytes memory, std::size_t segments_max) {
  RW_ASSERT(segments_max > 0);
  *this = {};
  memory_ = memory.first(std::min(memory.size(), kSizeMax));
  segments_max_ = segments_max;
}

MutableBytes GsoBatch::reserve(std::size_t size) const {
  if (size == 0 || is_closed_ || segment_count_ == segments_max_) return {};
  if (segment_count_ > 0 && size > segment_size_) return {};
  if (size > memory_.size() - size_) return {};
  return memory_.subspan(size_, size);
}

void GsoBatch::commit(std::size_t size) {
  RW_ASSERT(!reserve(size).empty());
  if (segment_count_ == 0) segment_size_ = size;
  is_closed_ = size < segment_size_;
  size_ += size;
  ++segment_count_;
}

MutableBytes GsoBatch::segment(std::size_t index) const {
  RW_ASSERT(index < segment_count_);
  const std::size_t begin = index * segment_size_;
  return memory_.subspan(begin, std::min(segment_size_, size_ - begin));
}

}  // namespace ringway
