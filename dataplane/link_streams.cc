#include "dataplane/link_streams.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/opcode.h"
#include "dataplane/tun_writer.h"

namespace ringway {

bool is_greeting(Bytes datagram) {
  // Opcode and key id, session id, number of acknowledgements, message id.
  constexpr std::size_t kResetMin = 1 + 8 + 1 + 4;
  if (datagram.size() < kResetMin || key_id_of(datagram[0]).value != 0) return false;
  const Opcode opcode = opcode_of(datagram[0]);
  return opcode == Opcode::HardResetClientV2 || opcode == Opcode::HardResetClientV3;
}

LinkStreams::LinkStreams(const Settings& settings, std::span<const TcpListener> listeners,
                         Counters& counters)
    : settings_(settings),
      listeners_(listeners),
      counters_(counters),
      accepts_(listeners.size()),
      receiver_({.group = settings.group,
                 .budget = settings.receive_budget,
                 .room = StreamRest::room(settings.datagram_size_max)}),
      nowhere_(settings.datagram_size_max) {
  RW_ASSERT(settings.streams_max > 0);
  RW_ASSERT(listeners.empty() || settings.half_open_max > 0);
}

LinkStreams::~LinkStreams() = default;

std::optional<LinkEndpoint> LinkStreams::add(TcpSocket socket, Instant now) {
  Stream* const stream = admit(std::move(socket), settings_.first_listener, now);
  if (stream == nullptr) return std::nullopt;
  prove(stream->endpoint.connection);
  return stream->endpoint;
}

void LinkStreams::submit(Ring& ring) {
  bury_dead();
  accept_more(ring);
  receiver_.arm(
      ring,
      [this](std::uint32_t slot) {
        const Stream* const stream = at(slot);
        const bool wants = stream != nullptr && stream->stage != Stage::Dead &&
                           !stream->is_receiving && !stream->has_arrival;
        return wants ? stream->socket.fd() : -1;
      },
      [this](std::uint32_t slot) { at(slot)->is_receiving = true; });
  send_queued(ring);
}

void LinkStreams::accept_more(Ring& ring) {
  for (std::size_t i = 0; i < accepts_.size(); ++i) {
    if (!accepts_[i].is_due()) continue;
    const RequestTag tag{.operation = Operation::StreamAccept,
                         .listener = static_cast<std::uint8_t>(i)};
    if (ring.accept_connections(tag, listeners_[i].fd())) accepts_[i].note_armed();
  }
}

void LinkStreams::send_queued(Ring& ring) {
  for (std::size_t left = to_send_.size(); left > 0; --left) {
    const auto slot = static_cast<std::uint32_t>(*to_send_.pop());
    Stream* const stream = at(slot);
    if (stream == nullptr || stream->stage == Stage::Dead) continue;
    const Bytes bytes = stream->output.to_send();
    if (bytes.empty()) continue;
    if (!ring.send_bytes({.operation = Operation::StreamSend, .slot = slot}, stream->socket.fd(),
                         bytes)) {
      return to_send_.push(slot);
    }
    stream->output.note_prepared();
  }
}

void LinkStreams::note(const Completion& completion, Instant now) {
  switch (completion.tag.operation) {
    case Operation::StreamAccept: return note_accepted(completion, now);
    case Operation::StreamReceive: return note_received(completion);
    case Operation::StreamSend: return note_sent(completion);
    default: RW_ASSERT(false);
  }
}

void LinkStreams::note_accepted(const Completion& completion, Instant now) {
  LastingRequest& accept = accepts_.at(completion.tag.listener);
  if (completion.result >= 0) {
    accept.note_progress();
    counters_.add(Counter::StreamsAccepted);
    std::optional<TcpSocket> socket = TcpSocket::adopt(UniqueFd(completion.result));
    const auto listener =
        static_cast<std::uint8_t>(settings_.first_listener + completion.tag.listener);
    if (socket) static_cast<void>(admit(std::move(*socket), listener, now));
  } else {
    counters_.add(Counter::StreamAcceptFailed);
    // Without a file descriptor left, whoever has not proven himself gives his (security goal R15).
    if (completion.result == -EMFILE || completion.result == -ENFILE) {
      static_cast<void>(make_room());
    }
  }
  if (!completion.more) accept.note_ended(completion.result, true);
}

/// Who was told to go, and has not gone, goes first. False when nobody can be sent away.
bool LinkStreams::make_room() {
  return evict_from(ending_) || evict_from(half_open_) || evict_from(awaited_);
}

bool LinkStreams::evict_from(const HalfOpenList& list) {
  const std::optional<std::uint32_t> victim = list.victim();
  if (!victim) return false;
  counters_.add(Counter::StreamsEvicted);
  kill(*at(*victim), true);
  return true;
}

void LinkStreams::unlist(const Stream& stream) {
  for (HalfOpenList* const list : {&half_open_, &awaited_, &ending_}) list->remove(slot_of(stream));
}

LinkStreams::Stream* LinkStreams::admit(TcpSocket socket, std::uint8_t listener, Instant now) {
  bool has_room = live_count_ < settings_.streams_max;
  if (!has_room) has_room = make_room();
  if (has_room && !listeners_.empty() && half_open_.size() >= settings_.half_open_max) {
    has_room = evict_from(half_open_);
  }
  const std::optional<Endpoint> remote = socket.remote();
  const std::optional<Endpoint> local = socket.local();
  const std::optional<std::uint32_t> slot = has_room ? take_slot() : std::nullopt;
  if (!slot || !remote || !local) {
    if (slot) free_.push(*slot);
    socket.reset_on_close();
    return nullptr;
  }
  Slot& place = slots_[*slot];
  if (++place.generation == 0) ++place.generation;  // 0 is no connection.
  const LinkEndpoint endpoint{
      .remote = *remote,
      .local = local->address,
      .listener = listener,
      .connection = {.number = *slot * settings_.worker_count + settings_.self.value,
                     .generation = place.generation}};
  place.stream =
      std::make_unique<Stream>(std::move(socket), endpoint, settings_.datagram_size_max, chunks_);
  place.stream->since = now;
  ++live_count_;
  half_open_.add(*slot, remote->address);
  want_input(*place.stream);
  return place.stream.get();
}

std::optional<std::uint32_t> LinkStreams::take_slot() {
  if (const auto slot = free_.pop()) return static_cast<std::uint32_t>(*slot);
  if (slots_.size() >= settings_.streams_max + kDyingMax) return std::nullopt;
  slots_.emplace_back();
  const std::size_t size = std::max(slots_.capacity(), slots_.size());
  for (SlotQueue* queue : {&free_, &to_send_, &dying_}) queue->make_room(size);
  receiver_.make_room(size);
  return static_cast<std::uint32_t>(slots_.size() - 1);
}

void LinkStreams::note_received(const Completion& completion) {
  Stream& stream = *at(completion.tag.slot);
  stream.is_receiving = false;
  switch (receiver_.note_received(completion)) {
    case StreamReceiver::Outcome::Filled: stream.has_arrival = true; return;
    case StreamReceiver::Outcome::Again: want_input(stream); return;
    case StreamReceiver::Outcome::Ended: kill(stream, false); return;
  }
}

void LinkStreams::note_sent(const Completion& completion) {
  Stream& stream = *at(completion.tag.slot);
  stream.output.note_sent(static_cast<std::size_t>(std::max(completion.result, std::int32_t{0})));
  if (completion.result < 0) {
    if (stream.stage != Stage::Dead && completion.result != -ECANCELED) {
      counters_.add_send_error(-completion.result);
    }
    return kill(stream, false);
  }
  if (!stream.output.is_empty()) return want_send(stream);
  if (stream.stage == Stage::Ending) stream.socket.end_sending();
}

void LinkStreams::want_input(Stream& stream) {
  if (stream.stage == Stage::Dead) {
    dying_.push(slot_of(stream));
  } else {
    receiver_.want(slot_of(stream));
  }
}

void LinkStreams::want_send(Stream& stream) { to_send_.push(slot_of(stream)); }

void LinkStreams::kill(Stream& stream, bool reset) {
  const std::uint32_t slot = slot_of(stream);
  dying_.push(slot);
  if (stream.stage == Stage::Dead) return;
  if (reset) stream.socket.reset_on_close();
  stream.socket.end();
  stream.stage = Stage::Dead;
  unlist(stream);
  --live_count_;
  ended_.push_back(stream.endpoint);
}

void LinkStreams::bury_dead() {
  while (const auto slot = dying_.pop()) {
    Slot& place = slots_[*slot];
    if (place.stream == nullptr) continue;
    const Stream& stream = *place.stream;
    if (stream.stage != Stage::Dead || !stream.is_reported || stream.is_receiving ||
        stream.has_arrival || stream.output.is_in_flight()) {
      continue;  // Comes back with the completion that is missing.
    }
    place.stream.reset();
    free_.push(*slot);
  }
}

void LinkStreams::note_tick(Instant now) {
  for (LastingRequest& accept : accepts_) accept.note_tick();
  for (const Slot& slot : slots_) {
    if (slot.stream == nullptr || !is_overdue(*slot.stream, now)) continue;
    if (slot.stream->stage != Stage::Ending) counters_.add(Counter::StreamsTimedOut);
    kill(*slot.stream, true);
  }
}

bool LinkStreams::is_overdue(const Stream& stream, Instant now) const {
  const Duration age = now - stream.since;
  switch (stream.stage) {
    case Stage::Greeting: return age > kGreetingWindow;
    case Stage::HalfOpen: return age > settings_.hand_window;
    case Stage::Ending: return age > kEndingWindow;
    case Stage::Awaited:
    case Stage::Proven:
    case Stage::Dead: return false;
  }
  return false;
}

bool LinkStreams::begin_part() {
  const StreamReceiver::Arrival* const arrival = receiver_.front();
  if (arrival == nullptr) return false;
  part_from_ = at(arrival->slot)->endpoint;
  part_count_ = 0;
  return true;
}

std::optional<MutableBytes> LinkStreams::next_datagram() {
  RW_ASSERT(receiver_.front() != nullptr);
  StreamReceiver::Arrival& arrival = *receiver_.front();
  Stream& stream = *at(arrival.slot);
  // What comes after its end is of no use, but TCP wants it read.
  if (stream.stage == Stage::Ending || stream.stage == Stage::Dead) return std::nullopt;
  if (part_count_ == TunWriter::kBufferPacketsMax) return std::nullopt;
  if (!std::exchange(arrival.is_joined, true)) arrival.bytes = stream.rest.join(arrival.bytes);

  const auto datagram = take_framed(arrival.bytes, settings_.datagram_size_max);
  if (!datagram) {
    counters_.add(datagram.error());
    fail(stream.endpoint.connection);
    return std::nullopt;
  }
  if (!*datagram) {
    stream.rest.keep(arrival.bytes);
    arrival.bytes = {};
    return std::nullopt;
  }
  if (stream.stage == Stage::Greeting) {
    if (!is_greeting(**datagram)) {
      counters_.add(Drop::UnknownOpcode);
      fail(stream.endpoint.connection);
      return std::nullopt;
    }
    stream.stage = Stage::HalfOpen;
  }
  ++part_count_;
  counters_.add(Counter::LinkReceivedPackets);
  counters_.add(Counter::LinkReceivedBytes, (*datagram)->size());
  return *datagram;
}

std::uint32_t LinkStreams::end_part(bool is_held) {
  RW_ASSERT(receiver_.front() != nullptr);
  StreamReceiver::Arrival& arrival = *receiver_.front();
  Stream& stream = *at(arrival.slot);
  const std::uint32_t buffer = arrival.buffer;
  if (is_held) receiver_.hold();
  const bool is_over = stream.stage == Stage::Ending || stream.stage == Stage::Dead;
  if (!is_over && !arrival.bytes.empty()) {
    receiver_.pass();
    return buffer;
  }
  receiver_.pop();
  stream.has_arrival = false;
  want_input(stream);
  return buffer;
}

bool LinkStreams::is_ready(ConnectionId connection) {
  const Stream* const stream = find(connection);
  return stream == nullptr || stream->output.has_room(settings_.datagram_size_max);
}

MutableBytes LinkStreams::reserve(ConnectionId connection, std::size_t size) {
  if (size == 0 || size > settings_.datagram_size_max) return {};
  reserved_ = find(connection);
  return reserved_ == nullptr ? MutableBytes(nowhere_).first(size)
                              : reserved_->output.reserve(size);
}

void LinkStreams::commit() {
  if (reserved_ == nullptr) return;
  Stream& stream = *std::exchange(reserved_, nullptr);
  const std::size_t size = stream.output.commit();
  counters_.add(Counter::LinkSentPackets);
  counters_.add(Counter::LinkSentBytes, size);
  want_send(stream);
}

bool LinkStreams::send(ConnectionId connection, Bytes datagram) {
  if (find(connection) == nullptr) return false;
  const MutableBytes room = reserve(connection, datagram.size());
  if (room.empty()) return false;
  std::ranges::copy(datagram, room.begin());
  commit();
  return true;
}

void LinkStreams::await(ConnectionId connection) {
  Stream* const stream = find(connection);
  if (stream == nullptr || stream->stage != Stage::HalfOpen) return;
  stream->stage = Stage::Awaited;
  unlist(*stream);
  awaited_.add(slot_of(*stream), stream->endpoint.remote.address);
}

void LinkStreams::prove(ConnectionId connection) {
  Stream* const stream = find(connection);
  if (stream == nullptr || stream->stage == Stage::Ending) return;
  stream->stage = Stage::Proven;
  unlist(*stream);
}

void LinkStreams::end(ConnectionId connection, Instant now) {
  Stream* const stream = find(connection);
  if (stream == nullptr || stream->stage == Stage::Ending) return;
  stream->stage = Stage::Ending;
  stream->since = now;
  unlist(*stream);
  ending_.add(slot_of(*stream), stream->endpoint.remote.address);
  if (stream->output.is_empty()) stream->socket.end_sending();
}

void LinkStreams::fail(ConnectionId connection) {
  Stream* const stream = find(connection);
  if (stream == nullptr) return;
  counters_.add(Counter::StreamsBroken);
  kill(*stream, true);
}

void LinkStreams::pop_ended() {
  RW_ASSERT(!ended_.empty());
  const std::uint32_t slot = ended_.front().connection.number / settings_.worker_count;
  ended_.pop_front();
  at(slot)->is_reported = true;
  dying_.push(slot);
}

LinkStreams::Stream* LinkStreams::find(ConnectionId connection) const {
  // Another worker's may have the same place and generation here.
  const WorkerId owner = owner_of(connection, settings_.worker_count);
  if (!connection.is_set() || owner != settings_.self) return nullptr;
  const std::uint32_t slot = connection.number / settings_.worker_count;
  if (slot >= slots_.size() || slots_[slot].generation != connection.generation) return nullptr;
  Stream* const stream = at(slot);
  return stream == nullptr || stream->stage == Stage::Dead ? nullptr : stream;
}

void LinkStreams::reclaim(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::StreamAccept:
      if (completion.result >= 0) UniqueFd{completion.result}.reset();
      return;
    case Operation::StreamReceive: return receiver_.reclaim(completion);
    case Operation::StreamSend: return at(completion.tag.slot)->output.note_sent(0);
    default: RW_ASSERT(false);
  }
}

}  // namespace ringway
