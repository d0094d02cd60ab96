#include "dataplane/link_receiver.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace ringway {
namespace {

ReceiveBuffers::Settings buffer_settings(const LinkReceiver::Settings& settings) {
  const std::size_t payload =
      settings.gro ? LinkReceiver::kTrainSizeMax : settings.datagram_size_max;
  return {.group = settings.group,
          .budget = settings.budget,
          .buffer_size = kReceiveHeadroom + payload,
          .header_size = kReceiveHeadroom};
}

}  // namespace

LinkReceiver::LinkReceiver(const Settings& settings, std::span<const UdpSocket> sockets,
                           Counters& counters)
    : sockets_(sockets),
      counters_(counters),
      buffers_(buffer_settings(settings)),
      receives_(sockets.size()),
      waiting_(buffers_.count()) {
  header_.msg_namelen = kSocketNameSize;
  header_.msg_controllen = kSocketControlSize;
}

void LinkReceiver::arm(Ring& ring) {
  buffers_.publish();
  for (std::size_t listener = 0; listener < receives_.size(); ++listener) {
    LastingRequest& receive = receives_[listener];
    if (buffers_.available() > 0) receive.note_buffers_available();
    if (!receive.is_due()) continue;
    const RequestTag tag{.operation = Operation::LinkReceive,
                         .listener = static_cast<std::uint8_t>(listener)};
    if (!ring.receive_messages(tag, sockets_[listener].fd(), header_, buffers_.group())) continue;
    receive.note_armed();
    counters_.add(Counter::LinkReceiveArmed);
  }
}

void LinkReceiver::note_received(const Completion& completion) {
  LastingRequest& receive = receives_.at(completion.tag.listener);
  if (completion.buffer) {
    RW_ASSERT(waiting_count_ < waiting_.size());
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    waiting_[(first_waiting_ + waiting_count_++) % waiting_.size()] = {
        .buffer = *completion.buffer,
        .listener = completion.tag.listener,
        .bytes = buffers_.take(*completion.buffer, size)};
    receive.note_progress();
  }
  if (completion.more) return;
  if (completion.result == -ENOBUFS) {
    counters_.add(Counter::LinkReceiveStarved);
  } else if (completion.result < 0) {
    counters_.add(Counter::LinkReceiveFailed);
  }
  receive.note_ended(completion.result, buffers_.available() > 0);
}

void LinkReceiver::note_tick() {
  for (LastingRequest& receive : receives_) receive.note_tick();
}

std::optional<LinkReceiver::Message> LinkReceiver::take() {
  while (waiting_count_ > 0) {
    const Waiting& waiting = waiting_[first_waiting_];
    first_waiting_ = (first_waiting_ + 1) % waiting_.size();
    --waiting_count_;
    if (auto message = read(waiting)) return message;
    buffers_.give_back(waiting.buffer);
  }
  return std::nullopt;
}

std::optional<LinkReceiver::Message> LinkReceiver::read(const Waiting& waiting) {
  const auto received = parse_received_message(waiting.bytes);
  if (received && received->truncated) {
    counters_.add(Drop::Oversize);
    return std::nullopt;
  }
  const auto arrival =
      received ? decode_link_arrival(received->name, received->control, waiting.listener)
               : std::nullopt;
  if (!arrival) {
    counters_.add(Drop::Truncated);
    return std::nullopt;
  }
  Message message{.buffer = waiting.buffer,
                  .arrival = *arrival,
                  .datagrams = DatagramTrain(received->payload, arrival->segment_size)};
  counters_.add(Counter::LinkReceivedPackets, message.datagrams.count_left());
  counters_.add(Counter::LinkReceivedBytes, received->payload.size());
  if (message.datagrams.count_left() > 1) counters_.add(Counter::LinkReceivedTrains);
  return message;
}

void LinkReceiver::release(std::uint16_t buffer) {
  buffers_.take_back(buffer);
  buffers_.give_back(buffer);
}

void LinkReceiver::reclaim(const Completion& completion) {
  if (completion.buffer) static_cast<void>(buffers_.take(*completion.buffer, 0));
}

}  // namespace ringway
