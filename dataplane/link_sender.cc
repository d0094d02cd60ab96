#include "dataplane/link_sender.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::size_t kBuffersMin = 8;

}  // namespace

LinkSender::LinkSender(const Settings& settings, std::span<const UdpSocket> sockets)
    : pool_(std::max(settings.budget / settings.datagram_size_max, kBuffersMin),
            settings.datagram_size_max),
      datagrams_(std::make_unique<Outgoing[]>(pool_.count())) {
  for (const UdpSocket& socket : sockets) {
    outlets_.push_back({.socket = &socket, .send_buffer_size = socket.send_buffer_size()});
  }
}

MutableBytes LinkSender::room() {
  if (!next_) {
    std::optional<PacketBuffer> buffer = pool_.take();
    if (!buffer) return {};
    next_.emplace(std::move(*buffer));
  }
  return next_->bytes();
}

void LinkSender::send(const LinkEndpoint& to, Bytes datagram) {
  RW_ASSERT(next_.has_value());
  Outlet& outlet = outlets_.at(to.listener);
  const std::uint32_t slot = next_->slot();
  Outgoing& outgoing = datagrams_[slot];
  outgoing.message.prepare(to, outlet.socket->is_ipv6(), datagram);
  outgoing.charge = charge_of(datagram.size());
  outgoing.next = kNone;
  outgoing.buffer.emplace(std::move(*next_));
  next_.reset();

  if (outlet.first == kNone) {
    outlet.first = slot;
  } else {
    datagrams_[outlet.last].next = slot;
  }
  outlet.last = slot;
}

bool LinkSender::submit(Ring& ring) {
  bool full = false;
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    full = submit(ring, outlets_[i], static_cast<std::uint8_t>(i)) || full;
  }
  return full;
}

/// The kernel accepts a datagram while the socket is charged with less than its buffer's size, and
/// between two datagrams of ours that charge only falls.
bool LinkSender::submit(Ring& ring, Outlet& outlet, std::uint8_t listener) {
  while (outlet.first != kNone && !outlet.awaits_room) {
    if (outlet.credit <= 0) {
      outlet.credit = outlet.send_buffer_size - outlet.socket->unsent_size() - outlet.in_flight;
    }
    if (outlet.credit <= 0) {
      // What is in flight completes and brings us here again.
      if (outlet.in_flight > 0) return false;
      outlet.awaits_room = ring.wait_writable(
          {.operation = Operation::LinkWritable, .listener = listener}, outlet.socket->fd());
      return true;
    }
    const std::uint32_t slot = outlet.first;
    Outgoing& outgoing = datagrams_[slot];
    const RequestTag tag{.operation = Operation::LinkSend, .listener = listener, .slot = slot};
    if (!ring.send_message(tag, outlet.socket->fd(), outgoing.message.header())) return false;
    outgoing.buffer->lend_to_kernel();
    outgoing.buffer.reset();
    outlet.credit -= outgoing.charge;
    outlet.in_flight += outgoing.charge;
    outlet.first = outgoing.next;
  }
  return false;
}

void LinkSender::note_sent(const RequestTag& tag) {
  outlets_.at(tag.listener).in_flight -= datagrams_[tag.slot].charge;
  const PacketBuffer done = pool_.take_back(tag.slot);
}

/// For each fragment the kernel takes a buffer of a power-of-two size for payload, headers and
/// trailer, and a descriptor.
std::int64_t LinkSender::charge_of(std::size_t datagram_size) {
  constexpr std::size_t kPiece = 1024;
  constexpr std::size_t kChargePerPiece = 2048 + 256;
  return static_cast<std::int64_t>((datagram_size / kPiece + 1) * kChargePerPiece);
}

}  // namespace ringway
