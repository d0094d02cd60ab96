#include "dataplane/tun_reader.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "tun/vnet_header.h"

namespace ringway {
namespace {

/// One byte more than the largest frame, so that a larger one shows.
ReceiveBuffers::Settings buffer_settings(const TunReader::Settings& settings) {
  const bool has_super_packets = settings.offloads.tcp || settings.offloads.udp;
  const std::size_t packet =
      has_super_packets ? TunReader::kSuperPacketMax : settings.packet_size_max;
  return {.group = settings.group,
          .budget = settings.budget,
          .buffer_size = kVnetHeaderSize + packet + 1,
          .header_size = kVnetHeaderSize};
}

}  // namespace

TunReader::TunReader(const Settings& settings, Counters& counters)
    : counters_(counters), buffers_(buffer_settings(settings)), multishot_(settings.multishot) {}

Result<void> TunReader::open(Ring& ring) {
  multishot_ = multishot_ && ring.has_multishot_read();
  return buffers_.open(ring);
}

void TunReader::attach(int fd) {
  RW_ASSERT(fd_ < 0);
  fd_ = fd;
  reads_.resize(multishot_ ? 1 : kSingleReads);
}

void TunReader::arm(Ring& ring, std::size_t wanted) {
  buffers_.publish(wanted);
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    LastingRequest& read = reads_[i];
    if (buffers_.available() > 0) read.note_buffers_available();
    if (!read.is_due()) continue;
    const RequestTag tag{.operation = Operation::TunRead, .slot = static_cast<std::uint32_t>(i)};
    const bool armed = multishot_
                           ? ring.read_packets(tag, fd_, buffers_.group())
                           : ring.read_packet(tag, fd_, buffers_.group(), buffers_.buffer_size());
    if (!armed) continue;
    read.note_armed();
    counters_.add(Counter::TunReadArmed);
  }
}

std::optional<TunReader::Frame> TunReader::note_read(const Completion& completion) {
  LastingRequest& read = reads_.at(completion.tag.slot);
  std::optional<Frame> frame;
  if (completion.buffer) {
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    frame = Frame{.buffer = *completion.buffer, .bytes = buffers_.take(*completion.buffer, size)};
    read.note_progress();
  }
  if (completion.more) return frame;
  if (completion.result == -ENOBUFS) {
    counters_.add(Counter::TunReadStarved);
  } else if (completion.result < 0) {
    counters_.add(Counter::TunReadFailed);
  }
  read.note_ended(completion.result, buffers_.available() > 0);
  return frame;
}

void TunReader::note_tick() {
  for (LastingRequest& read : reads_) read.note_tick();
}

void TunReader::reclaim(const Completion& completion) {
  if (completion.buffer) static_cast<void>(buffers_.take(*completion.buffer, 0));
}

}  // namespace ringway
