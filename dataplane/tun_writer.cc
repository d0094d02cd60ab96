#include "dataplane/tun_writer.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "tun/vnet_header.h"

namespace ringway {
namespace {

// A batch in the upper half, a frame of it in the lower: the slot of a RequestTag.
constexpr unsigned kFrameBits = 16;
static_assert(Coalescer::kPacketsMax < 1U << kFrameBits);

std::uint32_t slot_of(std::size_t batch, std::size_t frame) {
  return static_cast<std::uint32_t>(batch << kFrameBits | frame);
}

iovec piece_of(Bytes bytes) {
  // A write does not change what it writes, but its iovec serves readers too.
  return {.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
}

Bytes bytes_of(const iovec& piece) {
  return {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len};
}

}  // namespace

TunWriter::Batch::Batch() : coalescer({.tcp = false, .udp = false}) {
  holds.reserve(Coalescer::kPacketsMax);
  writes.reserve(Coalescer::kPacketsMax);
  // A packet is one piece, and a super-packet's headers are one more.
  pieces.reserve(2 * Coalescer::kPacketsMax);
}

TunWriter::TunWriter(const Settings& settings, Counters& counters)
    : settings_(settings),
      counters_(counters),
      tcp_{.wanted = settings.offloads.tcp},
      udp_{.wanted = settings.offloads.udp} {
  released_.reserve(kWritesMax);
}

Coalescer::Settings TunWriter::merging() const {
  return {.tcp = tcp_.is_on(), .udp = udp_.is_on()};
}

bool TunWriter::has_idle_batch() const {
  return std::ranges::any_of(batches_,
                             [](const Batch& batch) { return batch.state == State::Idle; });
}

bool TunWriter::fits_buffer(const Batch& batch) const {
  return batch.coalescer.packet_count() + kBufferPacketsMax <= Coalescer::kPacketsMax;
}

bool TunWriter::has_room() const {
  return (open_ && fits_buffer(batches_[*open_])) || has_idle_batch();
}

void TunWriter::begin_buffer(Ring& ring) {
  if (open_ && !fits_buffer(batches_[*open_])) submit(ring);
  if (!open_) open_batch();
  buffer_packets_ = 0;
}

void TunWriter::open_batch() {
  for (std::size_t i = 0; i < kBatches; ++i) {
    if (batches_[i].state != State::Idle) continue;
    open_ = i;
    batches_[i].state = State::Open;
    batches_[i].coalescer.use(merging());
    return;
  }
  RW_ASSERT(false);  // has_room() was not asked.
}

bool TunWriter::add(MutableBytes frame, const IpPacket& ip, std::uint8_t outer_ecn) {
  RW_ASSERT(open_.has_value());
  RW_ASSERT(frame.size() == kVnetHeaderSize + ip.total_length());
  if (buffer_packets_ == kBufferPacketsMax) return false;
  ++buffer_packets_;
  // Written even if the packet is merged: it may have to be written alone in the end.
  write_vnet_header(frame.first<kVnetHeaderSize>(), VnetHeader{});
  Batch& batch = batches_[*open_];
  const bool added = batch.coalescer.add(ip, outer_ecn);
  RW_ASSERT(added);
  batch.bytes += ip.total_length();
  return true;
}

void TunWriter::end_buffer(Hold hold, Ring& ring) {
  RW_ASSERT(open_.has_value());
  RW_ASSERT(buffer_packets_ > 0);
  Batch& batch = batches_[*open_];
  batch.holds.push_back(hold);
  if (batch.bytes < kBatchBytes) return;
  submit(ring);
  ring.submit();
}

void TunWriter::add_own(PacketBuffer buffer, MutableBytes packet, Ring& ring) {
  const auto offset = static_cast<std::size_t>(packet.data() - buffer.bytes().data());
  RW_ASSERT(offset >= kVnetHeaderSize);
  const std::expected<IpPacket, Drop> ip = parse_ip_packet(packet);
  RW_ASSERT(ip.has_value());  // Of our own making.
  begin_buffer(ring);
  const bool added =
      add(buffer.bytes().subspan(offset - kVnetHeaderSize, kVnetHeaderSize + ip->total_length()),
          *ip, 0);
  RW_ASSERT(added);  // The first of its buffer.
  const std::uint32_t slot = buffer.slot();
  buffer.lend_to_kernel();
  end_buffer({.kind = Hold::Kind::PacketBuffer, .slot = slot}, ring);
}

void TunWriter::submit(Ring& ring) {
  if (!open_) return;
  Batch& batch = batches_[*open_];
  if (batch.holds.empty()) return;  // It stays open for the next turn.
  batch.state = State::Written;
  const std::size_t count = batch.coalescer.frame_count();
  // Counted before the first is prepared, so that none can be the last too early.
  batch.in_flight = count;
  open_.reset();
  for (std::size_t frame = 0; frame < count; ++frame) prepare_write(batch, frame, ring);
  release_if_done(batch);
}

void TunWriter::prepare_write(Batch& batch, std::size_t frame, Ring& ring) {
  std::array<Bytes, Coalescer::kGatherMax> spans;
  const std::span<const Bytes> gathered = batch.coalescer.gather(frame, spans);
  const auto index = static_cast<std::size_t>(&batch - batches_.data());
  const RequestTag tag{.operation = Operation::TunWrite, .slot = slot_of(index, frame)};
  Write& write = batch.writes.emplace_back();
  write.first_piece = static_cast<std::uint32_t>(batch.pieces.size());

  bool prepared = false;
  const bool is_alone = gathered[0].size() == kVnetHeaderSize;
  if (is_alone) {
    // add() has put the header in front of the packet.
    const Bytes packet = gathered[1];
    write.packet_count = 1;
    write.packet_bytes = static_cast<std::uint32_t>(packet.size());
    write.frame_size = static_cast<std::uint32_t>(kVnetHeaderSize + packet.size());
    prepared = ring.write(tag, settings_.fd, {packet.data() - kVnetHeaderSize, write.frame_size});
  } else {
    // The kernel may be reading earlier pieces: they must not move.
    RW_ASSERT(batch.pieces.size() + gathered.size() <= batch.pieces.capacity());
    for (const Bytes piece : gathered) {
      batch.pieces.push_back(piece_of(piece));
      write.frame_size += static_cast<std::uint32_t>(piece.size());
    }
    write.piece_count = static_cast<std::uint16_t>(gathered.size());
    write.packet_count = static_cast<std::uint16_t>(gathered.size() - 1);
    const std::size_t headers_size = gathered[0].size() - kVnetHeaderSize;
    write.packet_bytes = static_cast<std::uint32_t>(write.frame_size - kVnetHeaderSize +
                                                    (write.packet_count - 1) * headers_size);
    prepared = ring.write_vector(
        tag, settings_.fd, std::span(batch.pieces).subspan(write.first_piece, write.piece_count));
  }
  if (prepared) return;
  // Without memory the kernel takes no request: these packets are lost.
  lose(write.packet_count);
  --batch.in_flight;
}

void TunWriter::note_written(const Completion& completion, Ring& ring) {
  Batch& batch = batches_.at(completion.tag.slot >> kFrameBits);
  RW_ASSERT(batch.state == State::Written);
  RW_ASSERT(batch.in_flight > 0);
  const Write& write = batch.writes.at(completion.tag.slot & ((1U << kFrameBits) - 1));
  if (completion.tag.operation == Operation::TunWriteAgain) {
    note_result(batch, Write{.packet_count = 1}, completion.result);
  } else if (completion.result == -EINVAL && write.packet_count > 1) {
    note_refusal(liking_of(batch, write));
    write_again(batch, write, completion.tag, ring);
  } else {
    note_result(batch, write, completion.result);
  }
  --batch.in_flight;
  release_if_done(batch);
}

/// A train's packets are whole: their own headers, and the virtio header of add(), are still in
/// front of their payloads.
void TunWriter::write_again(Batch& batch, const Write& write, RequestTag tag, Ring& ring) {
  tag.operation = Operation::TunWriteAgain;
  const auto pieces = std::span(batch.pieces).subspan(write.first_piece, write.piece_count);
  const std::size_t in_front = pieces[0].iov_len;
  for (const iovec& piece : pieces.subspan(1)) {
    const Bytes payload = bytes_of(piece);
    if (ring.write(tag, settings_.fd, {payload.data() - in_front, in_front + payload.size()})) {
      ++batch.in_flight;
    } else {
      lose(1);
    }
  }
}

void TunWriter::note_result(const Batch& batch, const Write& write, std::int32_t result) {
  const auto written = static_cast<std::uint32_t>(std::max(result, 0));
  const bool is_short = write.frame_size != 0 && written != write.frame_size;
  if (result < 0 || is_short || written < kVnetHeaderSize) {
    // The link is down (EIO), or memory is short: these packets are lost, and the TUN works again
    // when it can (F05).
    if (result < 0 && result != -ECANCELED) counters_.add_tun_write_error(-result);
    return lose(write.packet_count);
  }
  counters_.add(Counter::TunWrittenFrames);
  counters_.add(Counter::TunSentPackets, write.packet_count);
  counters_.add(Counter::TunSentBytes,
                write.packet_bytes != 0 ? write.packet_bytes : written - kVnetHeaderSize);
  if (write.packet_count == 1) return;
  counters_.add(Counter::TunMergedPackets, write.packet_count);
  if (tcp_.refusals + udp_.refusals != 0) liking_of(batch, write).refusals = 0;
}

void TunWriter::note_refusal(Liking& liking) {
  counters_.add(Counter::TunRefusedFrames);
  ++liking.refusals;
  if (liking.refusals < kRefusalsMax) return;
  liking.refusals = 0;
  liking.pause_ticks = kPauseTicks;
  counters_.add(Counter::TunMergingPauses);
}

void TunWriter::note_tick() {
  if (tcp_.pause_ticks > 0) --tcp_.pause_ticks;
  if (udp_.pause_ticks > 0) --udp_.pause_ticks;
}

void TunWriter::lose(std::size_t packet_count) {
  counters_.add(Drop::TunWriteFailed, packet_count);
}

TunWriter::Liking& TunWriter::liking_of(const Batch& batch, const Write& write) {
  const auto header = parse_vnet_header(bytes_of(batch.pieces[write.first_piece]));
  RW_ASSERT(header.has_value());  // The coalescer's own.
  return header->gso_type == GsoType::UdpL4 ? udp_ : tcp_;
}

void TunWriter::release_if_done(Batch& batch) {
  if (batch.in_flight > 0) return;
  released_.insert(released_.end(), batch.holds.begin(), batch.holds.end());
  batch.holds.clear();
  batch.writes.clear();
  batch.pieces.clear();
  batch.bytes = 0;
  batch.coalescer.clear();
  batch.state = State::Idle;
}

std::optional<TunWriter::Hold> TunWriter::poll_released() {
  if (released_.empty()) return std::nullopt;
  const Hold hold = released_.back();
  released_.pop_back();
  return hold;
}

}  // namespace ringway
