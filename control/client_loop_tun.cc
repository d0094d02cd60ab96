#include "control/client_loop.h"
#include "tun/vnet_header.h"

/// The half of the client's loop that takes from the TUN and gives to the server.
namespace ringway {

/// Frames stay here, the first perhaps half sent, while the socket takes no more. The kernel then
/// runs out of buffers to read into, and the TUN's own queue discipline sees that the link is slow.
void ClientLoop::drain_tun() {
  std::size_t handled = 0;
  while (handled < tun_pending_.size() && sender_.is_ready(0)) {
    const TunReader::Frame& frame = tun_pending_[handled];
    if (!cut_) cut_ = start_frame(frame.bytes);
    if (cut_ && !send_segments(*cut_, frame.bytes.subspan(kVnetHeaderSize))) break;
    cut_.reset();
    reader_.buffers().give_back(frame.buffer);
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

/// False when the socket takes no more; the rest then waits. As on a server, each segment is sealed
/// from where the TUN read it into where it is sent from.
bool ClientLoop::send_segments(Segmenter& segmenter, MutableBytes packet) {
  // The server may be gone, and the core with it; leaving is the owner's business.
  if (!core_.is_connected()) {
    drop(Drop::NoKey);
    return true;
  }
  const std::size_t overhead = core_.seal_overhead();
  while (segmenter.next_size() > 0) {
    if (!sender_.is_ready(0)) return false;
    const MutableBytes datagram = sender_.reserve(server_, overhead + segmenter.next_size());
    if (datagram.empty()) return false;
    const MutableBytes segment = segmenter.can_cut_in_place()
                                     ? segmenter.next_in_place(packet)
                                     : segmenter.write_next(datagram.subspan(overhead));
    if (!segmenter.is_gso()) clamp_mss(segment, segmenter.ip(), tun_.mss);
    if (core_.handle_packet(segment, datagram, now_)) sender_.commit();
  }
  return true;
}

}  // namespace ringway
