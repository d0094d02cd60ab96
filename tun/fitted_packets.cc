#include "tun/fitted_packets.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

FittedPackets::FittedPackets(const Segmenter& segmenter, MutableBytes frame, std::size_t limit)
    : segmenter_(segmenter), frame_(frame), limit_(std::max(limit, Fragmenter::kLimitMin)) {
  prepare();
}

bool FittedPackets::can_fit(const Segmenter& segmenter, std::size_t limit) {
  if (!segmenter.can_cut_in_place()) return false;  // Smaller than their headers: they fit.
  // The first is the largest, and what is started with it is what prepare() starts.
  IpPacket first = segmenter.ip();
  first.bytes = first.bytes.first(segmenter.next_size());
  return Fragmenter::start(first, std::max(limit, Fragmenter::kLimitMin)).has_value();
}

void FittedPackets::prepare() {
  if (fragments_ && fragments_->next_size() > 0) return;
  fragments_.reset();
  if (segmenter_.next_size() <= limit_) return;
  const MutableBytes segment = segmenter_.next_in_place(frame_);
  const std::expected<IpPacket, Drop> ip = parse_ip_packet(segment);
  RW_ASSERT(ip.has_value());  // The segmenter's own, of a frame that was parsed.
  fragments_ = Fragmenter::start(*ip, limit_);
  RW_ASSERT(fragments_.has_value());  // can_fit() was asked.
  ++cut_count_;
}

std::size_t FittedPackets::next_size() const {
  return fragments_ ? fragments_->next_size() : segmenter_.next_size();
}

MutableBytes FittedPackets::write_next(MutableBytes out) {
  RW_ASSERT(next_size() > 0);
  MutableBytes written;
  if (fragments_) {
    written = fragments_->write_next(out);
    ++fragment_count_;
  } else {
    const MutableBytes segment = segmenter_.next_in_place(frame_);
    RW_ASSERT(out.size() >= segment.size());
    std::ranges::copy(segment, out.begin());
    written = out.first(segment.size());
  }
  prepare();
  return written;
}

}  // namespace ringway
