#include "perf/src/floor/forwarder.h"

#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>

#include "base/opcode.h"
#include "tun/segmenter.h"

namespace ringway::floor {

Forwarder::Forwarder(LinkSocket& link, const TunDevice& tun)
    : link_(link),
      tun_fd_(tun.queue_fd(0)),
      coalescer_({.tcp = tun.offloads().tcp, .udp = tun.offloads().udp}),
      received_(kBytesMax + kMessageSize),
      frame_(kMessageSize + kVnetHeaderSize) {}

void Forwarder::run() {
  std::array<pollfd, 2> wanted{pollfd{.fd = link_.fd(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = tun_fd_, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (::poll(wanted.data(), wanted.size(), -1) < 0) continue;
    if (wanted[0].revents != 0) receive_turn();
    if (wanted[1].revents != 0) send_turn();
  }
}

bool Forwarder::receive_turn() {
  std::size_t used = 0;
  for (std::size_t i = 0; i < kMessagesMax && used <= kBytesMax; ++i) {
    const auto received = link_.receive(MutableBytes(received_).subspan(used, kMessageSize));
    if (!received) break;
    add_train(*received);
    used += received->bytes.size();
  }
  write_frames();
  return used > 0;
}

void Forwarder::add_train(const LinkSocket::Received& received) {
  Bytes rest = received.bytes;
  while (!rest.empty()) {
    const Bytes datagram = rest.first(std::min(rest.size(), received.segment_size));
    rest = rest.subspan(datagram.size());
    if (datagram.size() <= kOverhead || opcode_of(datagram[0]) != Opcode::DataV2) continue;
    const auto ip = parse_ip_packet(datagram.subspan(kOverhead));
    if (!ip) continue;
    if (coalescer_.add(*ip)) continue;
    write_frames();
    (void)coalescer_.add(*ip);
  }
}

void Forwarder::write_frames() {
  std::array<Bytes, Coalescer::kGatherMax> spans;
  std::array<iovec, Coalescer::kGatherMax> vectors;
  for (std::size_t i = 0; i < coalescer_.frame_count(); ++i) {
    const auto gathered = coalescer_.gather(i, spans);
    std::ranges::transform(gathered, vectors.begin(), [](Bytes bytes) {
      return iovec{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
    });
    // A packet that the host refuses is lost, as on any link.
    (void)!::writev(tun_fd_, vectors.data(), static_cast<int>(gathered.size()));
  }
  coalescer_.clear();
}

bool Forwarder::send_turn() {
  std::size_t count = 0;
  for (; count < kFramesMax; ++count) {
    const ssize_t size = ::read(tun_fd_, frame_.data(), frame_.size());
    if (size <= static_cast<ssize_t>(kVnetHeaderSize)) break;
    send_frame(Bytes(frame_).first(static_cast<std::size_t>(size)));
  }
  flush();
  return count > 0;
}

void Forwarder::send_frame(Bytes frame) {
  const auto header = parse_vnet_header(frame);
  const auto ip = parse_ip_packet(frame.subspan(kVnetHeaderSize));
  if (!header || !ip) return;
  auto segmenter = Segmenter::start(*header, *ip);
  if (!segmenter) return;
  for (std::size_t size = segmenter->next_size(); size > 0; size = segmenter->next_size()) {
    if (size + kOverhead > Train::kSizeMax) return;
    if (!train_.has_room_for(size)) flush();
    segmenter->write_next(train_.append(size));
  }
}

void Forwarder::flush() {
  if (train_.is_empty()) return;
  (void)link_.send(train_.bytes(), train_.segment_size());
  train_.clear();
}

}  // namespace ringway::floor
