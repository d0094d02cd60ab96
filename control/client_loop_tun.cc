#include <algorithm>
#include <utility>

#include "control/client_loop.h"
#include "tun/mss_clamp.h"
#include "tun/too_big.h"
#include "tun/vnet_header.h"

/// The half of the client's loop that takes from the TUN and gives to the server.
namespace ringway {

/// Frames stay here, the first perhaps half sent, while the socket takes no more. The kernel then
/// runs out of buffers to read into, and the TUN's own queue discipline sees that the link is slow.
void ClientLoop::drain_tun() {
  std::size_t handled = 0;
  while (handled < tun_pending_.size() && is_ready()) {
    const TunReader::Frame& frame = tun_pending_[handled];
    if (!cut_ && !fitted_) start_frame(frame.bytes);
    if (!send_rest(frame.bytes.subspan(kVnetHeaderSize))) break;
    cut_.reset();
    fitted_.reset();
    reader_.buffers().give_back(frame.buffer);
    ++handled;
  }
  if (handled < tun_pending_.size()) counters_.add(Counter::TunWaits);
  tun_pending_.erase(tun_pending_.begin(),
                     tun_pending_.begin() + static_cast<std::ptrdiff_t>(handled));
}

/// Sets what is to be sent of it, if anything is.
void ClientLoop::start_frame(MutableBytes frame) {
  const auto header = parse_vnet_header(frame);
  const auto ip =
      header ? parse_ip_packet(frame.subspan(kVnetHeaderSize)) : std::unexpected(header.error());
  const auto segmenter = ip ? Segmenter::start(*header, *ip) : std::unexpected(ip.error());
  if (!segmenter) return drop(segmenter.error());
  counters_.add(Counter::TunReceivedPackets, segmenter->packet_count());
  counters_.add(Counter::TunReceivedBytes, ip->total_length());
  const std::size_t path = core_.is_connected() ? core_.packet_max() : tun_.mtu;
  const std::size_t limit = inner_limit(*ip, std::min(path, tun_.mtu));
  if (segmenter->next_size() > limit) {
    return refit(*segmenter, frame.subspan(kVnetHeaderSize), limit);
  }
  cut_ = *segmenter;
}

/// The packets of a frame are larger than what the path to the server takes: fragmented where their
/// sender allows that, and answered if not.
void ClientLoop::refit(const Segmenter& segmenter, MutableBytes packet, std::size_t limit) {
  if (FittedPackets::can_fit(segmenter, limit)) {
    fitted_.emplace(segmenter, packet, limit);
    return;
  }
  counters_.add(Drop::TooBig, segmenter.packet_count());
  outbox_.answer(segmenter, packet, {.path_limit = limit, .now = now_.instant});
}

/// What finds the TUN's writes all in flight stays for a later turn.
void ClientLoop::drain_outbox() {
  while (writer_ && !outbox_.is_empty() && writer_->has_room()) {
    Outbox::Item item = outbox_.take();
    writer_->add_own(std::move(item.buffer), item.packet, ring_);
  }
}

/// False when the socket takes no more; the rest then waits.
bool ClientLoop::send_rest(MutableBytes packet) {
  if (!cut_ && !fitted_) return true;
  // The server may be gone, and the core with it; leaving is the owner's business.
  if (!core_.is_connected()) {
    drop(Drop::NoKey);
    return true;
  }
  return fitted_ ? send_fitted(*fitted_) : send_segments(*cut_, packet);
}

/// Each packet is written where its ciphertext will be, and sealed there.
bool ClientLoop::send_fitted(FittedPackets& packets) {
  const std::size_t overhead = core_.seal_overhead();
  const std::uint8_t outer_class = packets.traffic_class() & core_.outer_class_mask();
  while (packets.next_size() > 0) {
    if (!is_ready()) return false;
    const MutableBytes datagram = reserve(overhead + packets.next_size(), outer_class);
    if (datagram.empty()) return false;
    const MutableBytes packet = packets.write_next(datagram.subspan(core_.payload_offset()));
    if (core_.handle_packet(packet, datagram, now_)) commit();
  }
  counters_.add(Counter::InnerFragmentedPackets, packets.cut_count());
  counters_.add(Counter::InnerFragments, packets.fragment_count());
  return true;
}

/// As on a server, each segment is sealed from where the TUN read it into where it is sent from.
bool ClientLoop::send_segments(Segmenter& segmenter, MutableBytes packet) {
  const std::size_t overhead = core_.seal_overhead();
  const InnerMss mss = core_.mss();
  const std::uint8_t outer_class = segmenter.ip().traffic_class & core_.outer_class_mask();
  while (segmenter.next_size() > 0) {
    if (!is_ready()) return false;
    const std::size_t size = overhead + segmenter.next_size();
    // As in LinkFeeder::send().
    const bool is_divided = segmenter.next_size() > core_.packet_max();
    const MutableBytes datagram =
        is_divided ? MutableBytes(scratch_).first(size) : reserve(size, outer_class);
    if (datagram.empty()) return false;
    const MutableBytes segment =
        segmenter.can_cut_in_place()
            ? segmenter.next_in_place(packet)
            : segmenter.write_next(datagram.subspan(core_.payload_offset()));
    if (!segmenter.is_gso()) clamp_mss(segment, segmenter.ip(), {.v4 = mss.v4, .v6 = mss.v6});
    const auto sealed = core_.handle_packet(segment, datagram, now_);
    if (sealed && is_divided) {
      sender_.send_divisible(server_, *sealed).count_in(counters_);
      counters_.add(Counter::LinkFragmented);
    } else if (sealed) {
      commit();
    }
  }
  return true;
}

}  // namespace ringway
