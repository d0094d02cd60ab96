#include <algorithm>

#include "base/check.h"
#include "dataplane/worker_loop.h"
#include "tun/vnet_header.h"

/// The half of the worker's loop that faces the TUN.
namespace ringway {

void WorkerLoop::arm_tun_reads() {
  tun_buffers_.publish();
  for (std::size_t i = 0; i < tun_reads_.size(); ++i) {
    LastingRequest& read = tun_reads_[i];
    if (tun_buffers_.available() > 0) read.note_buffers_available();
    if (!read.is_due()) continue;
    const RequestTag tag{.operation = Operation::TunRead, .slot = static_cast<std::uint32_t>(i)};
    const int fd = settings_.tun_queue.get();
    const bool armed = multishot_reads_ ? ring_.read_packets(tag, fd, tun_buffers_.group())
                                        : ring_.read_packet(tag, fd, tun_buffers_.group(),
                                                            tun_buffers_.buffer_size());
    if (!armed) continue;
    read.note_armed();
    ports_.counters.add(Counter::TunReadArmed);
  }
}

void WorkerLoop::on_tun_read(const Completion& completion) {
  LastingRequest& read = tun_reads_[completion.tag.slot];
  if (completion.buffer) {
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    tun_pending_.push_back(
        {.buffer = *completion.buffer, .bytes = tun_buffers_.take(*completion.buffer, size)});
    read.note_progress();
  }
  if (completion.more) return;
  if (completion.result == -ENOBUFS) {
    ports_.counters.add(Counter::TunReadStarved);
  } else if (completion.result < 0) {
    ports_.counters.add(Counter::TunReadFailed);
  }
  read.note_ended(completion.result, tun_buffers_.available() > 0);
}

/// Packets stay here while all send buffers are in flight. The kernel then runs out of buffers to
/// read into, and the TUN's own queue discipline sees that the link is slow.
void WorkerLoop::drain_tun() {
  std::size_t handled = 0;
  while (handled < tun_pending_.size() && sender_.is_ready(0)) {
    const PendingFrame& frame = tun_pending_[handled++];
    handle_frame(frame.bytes);
    tun_buffers_.give_back(frame.buffer);
  }
  if (handled < tun_pending_.size()) ports_.counters.add(Counter::TunWaits);
  tun_pending_.erase(tun_pending_.begin(),
                     tun_pending_.begin() + static_cast<std::ptrdiff_t>(handled));
}

void WorkerLoop::handle_frame(Bytes frame) {
  const auto header = parse_vnet_header(frame);
  if (!header) return drop(header.error());
  const Bytes packet = frame.subspan(kVnetHeaderSize);
  ports_.counters.add(Counter::TunReceivedPackets);
  ports_.counters.add(Counter::TunReceivedBytes, packet.size());
  // The queue was opened without offloads: what the kernel left unfinished all the same cannot be
  // sent as it is.
  if (header->is_gso() || header->needs_checksum) return drop(Drop::BadVnetHeader);
  if (packet.size() > settings_.datapath.tun_mtu) return drop(Drop::TooBig);
  forward_to_peer(packet, false);
}

/// The virtio header goes into the ten bytes in front of the packet, which belonged to the
/// datagram's own header and have been read.
bool WorkerLoop::write_to_tun(MutableBytes datagram, const Verdict& verdict,
                              std::uint8_t outer_ecn) {
  RW_ASSERT(verdict.packet.data() >= datagram.data() + kVnetHeaderSize);
  const auto offset = static_cast<std::size_t>(verdict.packet.data() - datagram.data());
  const MutableBytes frame =
      datagram.subspan(offset - kVnetHeaderSize, kVnetHeaderSize + verdict.packet.size());
  if (tun_writer_.add(frame, verdict.ip, outer_ecn)) return true;
  drop(Drop::NoBuffer);
  return false;
}

void WorkerLoop::release_written() {
  while (const auto hold = tun_writer_.poll_released()) {
    if (hold->kind == TunWriter::Hold::Kind::ReceiveBuffer) {
      const auto buffer = static_cast<std::uint16_t>(hold->slot);
      link_buffers_.take_back(buffer);
      link_buffers_.give_back(buffer);
    } else {
      const PacketBuffer done = taken_over_.take_back(hold->slot);
    }
  }
}

}  // namespace ringway
