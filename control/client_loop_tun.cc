#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "control/client_loop.h"
#include "tun/vnet_header.h"

/// The half of the client's loop that faces the TUN.
namespace ringway {

void ClientLoop::arm_tun_reads() {
  tun_buffers_.publish();
  for (std::size_t i = 0; i < tun_reads_.size(); ++i) {
    LastingRequest& read = tun_reads_[i];
    if (tun_buffers_.available() > 0) read.note_buffers_available();
    if (!read.is_due()) continue;
    const RequestTag tag{.operation = Operation::TunRead, .slot = static_cast<std::uint32_t>(i)};
    const bool armed = multishot_reads_ ? ring_.read_packets(tag, tun_.fd, tun_buffers_.group())
                                        : ring_.read_packet(tag, tun_.fd, tun_buffers_.group(),
                                                            tun_buffers_.buffer_size());
    if (!armed) continue;
    read.note_armed();
    counters_.add(Counter::TunReadArmed);
  }
}

void ClientLoop::on_tun_read(const Completion& completion) {
  LastingRequest& read = tun_reads_[completion.tag.slot];
  if (completion.buffer) {
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    tun_pending_.push_back(
        {.buffer = *completion.buffer, .bytes = tun_buffers_.take(*completion.buffer, size)});
    read.note_progress();
  }
  if (completion.more) return;
  if (completion.result == -ENOBUFS) {
    counters_.add(Counter::TunReadStarved);
  } else if (completion.result < 0) {
    counters_.add(Counter::TunReadFailed);
  }
  read.note_ended(completion.result, tun_buffers_.available() > 0);
}

/// Frames stay here, the first perhaps half sent, while the socket takes no more. The kernel then
/// runs out of buffers to read into, and the TUN's own queue discipline sees that the link is slow.
void ClientLoop::drain_tun() {
  std::size_t handled = 0;
  while (handled < tun_pending_.size() && sender_.is_ready(0)) {
    if (!cut_) cut_ = start_frame(tun_pending_[handled].bytes);
    if (cut_ && !send_segments(*cut_)) break;
    cut_.reset();
    tun_buffers_.give_back(tun_pending_[handled].buffer);
    ++handled;
  }
  if (handled < tun_pending_.size()) counters_.add(Counter::TunWaits);
  tun_pending_.erase(tun_pending_.begin(),
                     tun_pending_.begin() + static_cast<std::ptrdiff_t>(handled));
}

std::optional<Segmenter> ClientLoop::start_frame(Bytes frame) {
  const auto header = parse_vnet_header(frame);
  const auto ip =
      header ? parse_ip_packet(frame.subspan(kVnetHeaderSize)) : std::unexpected(header.error());
  const auto segmenter = ip ? Segmenter::start(*header, *ip) : std::unexpected(ip.error());
  if (!segmenter) {
    drop(segmenter.error());
    return std::nullopt;
  }
  counters_.add(Counter::TunReceivedPackets, segmenter->packet_count());
  counters_.add(Counter::TunReceivedBytes, ip->total_length());
  if (segmenter->next_size() > tun_.mtu) {
    drop(Drop::TooBig);
    return std::nullopt;
  }
  return *segmenter;
}

/// False when the socket takes no more; the rest then waits. Each segment is written where it is
/// sent from, behind the room for its header, and sealed in place.
bool ClientLoop::send_segments(Segmenter& segmenter) {
  // The server may be gone, and the core with it; leaving is the owner's business.
  if (!core_.is_connected()) {
    drop(Drop::NoKey);
    return true;
  }
  const std::size_t overhead = core_.seal_overhead();
  const bool may_be_syn = segmenter.packet_count() == 1;
  while (segmenter.next_size() > 0) {
    if (!sender_.is_ready(0)) return false;
    const MutableBytes datagram = sender_.reserve(server_, overhead + segmenter.next_size());
    if (datagram.empty()) return false;
    const MutableBytes packet = segmenter.write_next(datagram.subspan(overhead));
    if (may_be_syn) clamp_mss(packet, tun_.mss);
    if (core_.handle_packet(packet, datagram, now_)) sender_.commit();
  }
  return true;
}

}  // namespace ringway
