#include "dataplane/link_sender.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::size_t kBuffersMin = 8;

std::size_t buffer_size(const LinkSender::Settings& settings) {
  return settings.gso ? std::max(LinkSender::kTrainBufferSize, settings.datagram_size_max)
                      : settings.datagram_size_max;
}

/// What sendmsg() answers where it cannot cut a train: datagrams that do not fit the route, a
/// device or a policy that wants checksums made first, a kernel with a lower limit.
bool is_refusal(int error) { return error == EINVAL || error == EMSGSIZE || error == EIO; }

}  // namespace

LinkSender::LinkSender(const Settings& settings, std::span<const UdpSocket> sockets)
    : send_operation_(settings.send_operation),
      writable_operation_(settings.writable_operation),
      datagram_size_max_(settings.datagram_size_max),
      wants_gso_(settings.gso),
      segments_max_(settings.gso ? settings.segments_max : 1),
      pool_(std::max(settings.budget / buffer_size(settings), kBuffersMin), buffer_size(settings)),
      outgoing_(std::make_unique<Outgoing[]>(pool_.count())),
      singles_(std::make_unique<OutgoingMessage[]>(segments_max_)) {
  RW_ASSERT(segments_max_ > 0);
  for (const UdpSocket& socket : sockets) {
    const std::int64_t size = socket.send_buffer_size();
    outlets_.push_back({.socket = &socket,
                        .send_buffer_size = size - std::min(size / 4, kLeftToOthers),
                        .has_gso = settings.gso});
  }
}

bool LinkSender::is_ready(std::uint8_t listener) {
  Outlet& outlet = outlets_.at(listener);
  if (outlet.credit > outlet.queued) return has_buffer();
  outlet.is_full = !renew_credit(outlet);
  return outlet.credit > outlet.queued && has_buffer();
}

/// The kernel accepts a send while the socket is charged with less than its buffer's size.
bool LinkSender::renew_credit(Outlet& outlet) const {
  outlet.credit = outlet.send_buffer_size - outlet.socket->unsent_size() - outlet.in_flight;
  return outlet.credit > 0;
}

MutableBytes LinkSender::reserve(const LinkEndpoint& to, std::size_t size,
                                 std::uint8_t traffic_class) {
  reserved_size_ = 0;
  if (size == 0 || size > datagram_size_max_) return {};
  if (open_ != kNone && !open_is_empty()) {
    const Outgoing& open = outgoing_[open_];
    const bool is_same = open.to == to && open.traffic_class == traffic_class;
    const MutableBytes room = is_same ? open.batch.reserve(size) : MutableBytes{};
    if (!room.empty()) {
      reserved_size_ = size;
      return room;
    }
    close_open();
  }
  if (open_ == kNone) {
    std::optional<PacketBuffer> buffer = pool_.take();
    if (!buffer) return {};
    open_ = buffer->slot();
    outgoing_[open_].buffer.emplace(std::move(*buffer));
  }

  Outgoing& open = outgoing_[open_];
  const bool may_grow = outlets_.at(to.listener).has_gso && !refusals_.refuses(to.remote, size);
  open.to = to;
  open.traffic_class = traffic_class;
  open.batch.start(open.buffer->bytes(), may_grow ? segments_max_ : 1);
  reserved_size_ = size;
  return open.batch.reserve(size);
}

void LinkSender::commit() {
  RW_ASSERT(reserved_size_ > 0);
  Outgoing& open = outgoing_[open_];
  const bool is_first = open.batch.segment_count() == 0;
  open.batch.commit(reserved_size_);
  const std::int64_t charge =
      is_first ? charge_of(reserved_size_) : charge_of_train(open.batch.size()) - open.charge;
  open.charge = is_first ? charge : open.charge + std::max(charge, std::int64_t{0});
  outlets_[open.to.listener].queued += std::max(charge, std::int64_t{0});
  reserved_size_ = 0;
}

bool LinkSender::send(const LinkEndpoint& to, Bytes datagram) {
  const MutableBytes room = reserve(to, datagram.size());
  if (room.empty()) return false;
  std::ranges::copy(datagram, room.begin());
  commit();
  return true;
}

bool LinkSender::send_alone(const LinkEndpoint& to, Bytes datagram) {
  close_open();
  if (!send(to, datagram)) return false;
  close_open();
  return true;
}

LinkSender::Outcome LinkSender::send_divisible(const LinkEndpoint& to, Bytes datagram) {
  const int error = outlets_.at(to.listener).socket->send_divisible(to, datagram);
  if (error != 0) return {.failed_count = 1, .error = error};
  return {.datagram_count = 1, .size = datagram.size()};
}

void LinkSender::close_open() {
  if (open_ == kNone || open_is_empty()) return;
  Outgoing& closed = outgoing_[open_];
  const bool is_train = closed.batch.segment_count() > 1;
  closed.message.prepare(
      closed.to, outlets_[closed.to.listener].socket->is_ipv6(), closed.batch.bytes(),
      is_train ? static_cast<std::uint16_t>(closed.batch.segment_size()) : std::uint16_t{0},
      closed.traffic_class);
  closed.attempts = 0;
  closed.goes_singly = false;
  append(outlets_[closed.to.listener].queue, std::exchange(open_, kNone));
}

void LinkSender::append(Line& line, std::uint32_t slot) {
  outgoing_[slot].next = kNone;
  (line.first == kNone ? line.first : outgoing_[line.last].next) = slot;
  line.last = slot;
}

std::uint32_t LinkSender::take_first(Line& line) {
  return std::exchange(line.first, outgoing_[line.first].next);
}

bool LinkSender::submit(Ring& ring) {
  close_open();
  bool became_full = false;
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    became_full = submit(ring, outlets_[i], static_cast<std::uint8_t>(i)) || became_full;
  }
  return became_full;
}

bool LinkSender::submit(Ring& ring, Outlet& outlet, std::uint8_t listener) {
  while (submit_first(ring, outlet, listener)) continue;
  // What is in flight completes and brings us here again.
  if (!outlet.is_full || outlet.awaits_room || outlet.in_flight_count > 0) return false;
  outlet.awaits_room = ring.wait_writable({.operation = writable_operation_, .listener = listener},
                                          outlet.socket->fd());
  return true;
}

/// False when there is nothing more to prepare now.
bool LinkSender::submit_first(Ring& ring, Outlet& outlet, std::uint8_t listener) {
  if (singles_slot_ != kNone && outgoing_[singles_slot_].to.listener == listener) {
    // For order's sake, everything waits until the datagrams of this train are out.
    submit_singles(ring, outlet);
    return false;
  }
  Line& line = outlet.again.first != kNone ? outlet.again : outlet.queue;
  if (line.first == kNone) return false;
  if (outlet.credit <= 0) outlet.is_full = !renew_credit(outlet);
  if (outlet.is_full) return false;
  const std::uint32_t slot = line.first;
  Outgoing& outgoing = outgoing_[slot];
  if (outgoing.goes_singly) {
    if (singles_slot_ != kNone) return false;
    singles_slot_ = slot;
    singles_prepared_ = singles_done_ = 0;
  } else {
    const RequestTag tag{.operation = send_operation_, .listener = listener, .slot = slot};
    if (!ring.send_message_now(tag, outlet.socket->fd(), outgoing.message.header())) return false;
    ++outlet.in_flight_count;
  }
  take_first(line);
  outlet.credit -= outgoing.charge;
  outlet.queued -= outgoing.charge;
  outlet.in_flight += outgoing.charge;
  outgoing.buffer->lend_to_kernel();
  outgoing.buffer.reset();
  return true;
}

/// All datagrams of a refused train. Should the send buffer be full, they wait in the kernel.
void LinkSender::submit_singles(Ring& ring, Outlet& outlet) {
  const Outgoing& outgoing = outgoing_[singles_slot_];
  for (; singles_prepared_ < outgoing.batch.segment_count(); ++singles_prepared_) {
    const RequestTag tag{.operation = send_operation_,
                         .listener = outgoing.to.listener,
                         .slot = static_cast<std::uint32_t>(pool_.count() + singles_prepared_)};
    OutgoingMessage& message = singles_[singles_prepared_];
    message.prepare(outgoing.to, outlet.socket->is_ipv6(),
                    outgoing.batch.segment(singles_prepared_), 0, outgoing.traffic_class);
    if (!ring.send_message(tag, outlet.socket->fd(), message.header())) return;
    ++outlet.in_flight_count;
  }
}

bool LinkSender::is_waiting() const {
  return std::ranges::any_of(outlets_, [](const Outlet& outlet) { return outlet.is_full; });
}

/// Whoever has something to send asks again whether the socket is full. If nobody has, because what
/// waited was dropped, nothing is waited for: the poll would complete at once, again and again.
void LinkSender::note_writable(const RequestTag& tag) {
  Outlet& outlet = outlets_.at(tag.listener);
  outlet.awaits_room = false;
  outlet.is_full = false;
}

void LinkSender::forget_refusals() {
  refusals_.forget();
  for (Outlet& outlet : outlets_) {
    outlet.has_gso = wants_gso_;
    outlet.refused_in_a_row = 0;
  }
}

/// A client that cannot be reached, a full queue, a packet filter: those datagrams are lost and
/// nothing else (E07).
void LinkSender::Outcome::count_in(Counters& counters) const {
  if (is_refused) counters.add(Counter::LinkRefusedTrains);
  if (error != 0 && error != ECANCELED) counters.add_send_error(error);
  counters.add(Drop::SendFailed, failed_count);
  counters.add(Counter::LinkSentPackets, datagram_count);
  counters.add(Counter::LinkSentBytes, size);
  if (is_train) counters.add(Counter::LinkSentTrains);
}

LinkSender::Outcome LinkSender::note_sent(const Completion& completion) {
  Outlet& outlet = outlets_.at(completion.tag.listener);
  RW_ASSERT(outlet.in_flight_count > 0);
  --outlet.in_flight_count;
  const std::uint32_t slot = completion.tag.slot;
  return slot < pool_.count() ? note_batch_sent(outlet, slot, completion.result)
                              : note_single_sent(outlet, slot - pool_.count(), completion.result);
}

LinkSender::Outcome LinkSender::note_batch_sent(Outlet& outlet, std::uint32_t slot,
                                                std::int32_t result) {
  Outgoing& outgoing = outgoing_[slot];
  const std::size_t count = outgoing.batch.segment_count();
  PacketBuffer buffer = pool_.take_back(slot);
  outlet.in_flight -= outgoing.charge;
  if (result == -EAGAIN && outgoing.attempts < kAttemptsMax) {
    ++outgoing.attempts;
    outgoing.buffer.emplace(std::move(buffer));
    outlet.queued += outgoing.charge;
    outlet.credit = 0;
    append(outlet.again, slot);
    return {};
  }
  if (count > 1 && result < 0 && is_refusal(-result)) {
    // EIO has nothing to do with the size.
    const std::size_t size = result == -EIO ? 1 : outgoing.batch.segment_size();
    refusals_.note(outgoing.to.remote, size);
    if (size <= kUndividedSizeMax && ++outlet.refused_in_a_row == kRefusalsMax) {
      outlet.has_gso = false;
    }
    outgoing.goes_singly = true;
    outgoing.buffer.emplace(std::move(buffer));
    outlet.queued += outgoing.charge;
    append(outlet.again, slot);
    return {.is_refused = true};
  }

  if (result < 0)
    return failure(outgoing, {.count = count, .size = outgoing.batch.size()}, -result);
  if (count > 1) outlet.refused_in_a_row = 0;
  return {.datagram_count = count, .size = static_cast<std::size_t>(result), .is_train = count > 1};
}

/// A datagram that is too big for every route is known by its own size; of a train that was refused
/// as a whole that cannot be said.
LinkSender::Outcome LinkSender::failure(const Outgoing& outgoing, const Refused& refused,
                                        int error) {
  Outcome outcome{.failed_count = refused.count, .error = error};
  if (error == EMSGSIZE && refused.count == 1) {
    outcome.too_big_size = refused.size;
    outcome.too_big_for = outgoing.to;
  }
  return outcome;
}

LinkSender::Outcome LinkSender::note_single_sent(Outlet& outlet, std::size_t index,
                                                 std::int32_t result) {
  RW_ASSERT(singles_slot_ != kNone);
  RW_ASSERT(index < segments_max_);
  RW_ASSERT(singles_done_ < singles_prepared_);
  const Outgoing& outgoing = outgoing_[singles_slot_];
  const Refused one{.count = 1, .size = outgoing.batch.segment(index).size()};
  if (++singles_done_ == outgoing_[singles_slot_].batch.segment_count()) {
    const std::uint32_t slot = std::exchange(singles_slot_, kNone);
    outlet.in_flight -= outgoing_[slot].charge;
    const PacketBuffer done = pool_.take_back(slot);
  }
  if (result < 0) return failure(outgoing, one, -result);
  return {.datagram_count = 1, .size = static_cast<std::size_t>(result)};
}

/// For each fragment the kernel takes a buffer of a power-of-two size for payload, headers and
/// trailer, and a descriptor.
std::int64_t LinkSender::charge_of(std::size_t datagram_size) {
  constexpr std::size_t kPiece = 1024;
  constexpr std::size_t kChargePerPiece = 2048 + 256;
  return static_cast<std::int64_t>((datagram_size / kPiece + 1) * kChargePerPiece);
}

/// The kernel keeps a train in pages, and takes one buffer for all headers.
std::int64_t LinkSender::charge_of_train(std::size_t size) {
  constexpr std::size_t kHeaders = 2048 + 256;
  return static_cast<std::int64_t>(size + kHeaders);
}

}  // namespace ringway
