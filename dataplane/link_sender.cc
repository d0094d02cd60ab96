#include "dataplane/link_sender.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::size_t kBuffersMin = 8;

}  // namespace

LinkSender::LinkSender(const Settings& settings)
    : pool_(std::max(settings.budget / settings.datagram_size_max, kBuffersMin),
            settings.datagram_size_max),
      messages_(std::make_unique<OutgoingMessage[]>(pool_.count())) {}

MutableBytes LinkSender::room() {
  if (!next_) {
    std::optional<PacketBuffer> buffer = pool_.take();
    if (!buffer) return {};
    next_.emplace(std::move(*buffer));
  }
  return next_->bytes();
}

bool LinkSender::send(Ring& ring, const UdpSocket& socket, const LinkEndpoint& to, Bytes datagram) {
  RW_ASSERT(next_.has_value());
  const std::uint32_t slot = next_->slot();
  OutgoingMessage& message = messages_[slot];
  message.prepare(to, socket.is_ipv6(), datagram);
  const RequestTag tag{.operation = Operation::LinkSend, .listener = to.listener, .slot = slot};
  if (!ring.send_message(tag, socket.fd(), message.header())) return false;
  next_->lend_to_kernel();
  next_.reset();
  return true;
}

}  // namespace ringway
