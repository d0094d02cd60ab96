#include "perf/src/wire/upload.h"

#include <algorithm>

#include "base/check.h"

namespace ringway::wire {
namespace {

constexpr std::size_t kBlockSize = std::size_t{96} << 20;
constexpr std::size_t kBlockPacketsMax = 262'144;
/// Of what comes out, as much as shows the first stamp.
constexpr std::size_t kHeadSize = 128;
constexpr std::size_t kReadsAtOnce = 64;
/// Around a datagram: virtio, IPv6, UDP; and what sealing may add.
constexpr std::size_t kHeadersMax = kVnetHeaderSize + 48;
constexpr std::size_t kSealedMax = 64;

}  // namespace

Upload::Upload(const RunPlan& plan, const RunStart& start, Fleet& fleet, const Cards& cards)
    : plan_(plan),
      fleet_(fleet),
      cards_(cards),
      ledger_(plan.clients, start.last_block),
      block_(kBlockSize),
      sent_at_(kBlockPacketsMax + InnerFlow::kTrainMax),
      frame_(Nic::kFrameMax) {
  for (std::uint32_t i = 0; i < plan.clients; ++i) {
    flows_.emplace_back(
        plan.inner, InnerPath{.source = fleet.inner_address_of(i), .destination = start.internet},
        plan.packet_size);
  }
}

RunResult Upload::run() {
  const Instant start = monotonic_now();
  while (wants_more(plan_, result_, start)) {
    fleet_.service(read_clocks());
    prepare_block();
    if (loads_.empty() || !run_block(*this, plan_, result_)) break;
  }
  result_.tally = ledger_.tally();
  result_.last_block = ledger_.block();
  return result_;
}

void Upload::prepare_block() {
  const Now now = read_clocks();
  ledger_.open_block();
  loads_.clear();
  block_used_ = 0;
  next_ = 0;
  while (ledger_.stamp_count() < kBlockPacketsMax) {
    for (std::size_t i = 0; i < plan_.burst; ++i) {
      if (!prepare_load(client_, now)) return;
    }
    client_ = (client_ + 1) % plan_.clients;
  }
}

bool Upload::prepare_load(std::uint32_t client, Now now) {
  InnerFlow& flow = flows_[client];
  const std::size_t room = kHeadersMax + plan_.train * (flow.packet_size() + kSealedMax);
  if (block_.size() - block_used_ < room || ledger_.stamp_count() >= kBlockPacketsMax) {
    return false;
  }
  const OuterPath path = fleet_.path_of(client);
  const std::size_t headers = kVnetHeaderSize + outer_headers_size(path);
  Load load{.offset = block_used_, .packets = plan_.train, .index = ledger_.stamp_count()};
  std::array<std::uint8_t, InnerFlow::kPacketMax> packet;
  std::size_t end = block_used_ + headers;
  std::size_t datagram_size = 0;
  for (std::size_t i = 0; i < plan_.train; ++i) {
    const auto datagram =
        fleet_.seal(client, flow.write(ledger_.prepare(client), packet),
                    MutableBytes(block_).subspan(end, flow.packet_size() + kSealedMax), now);
    if (!datagram) return false;
    datagram_size = datagram->size();
    end += datagram_size;
  }
  (void)write_outer_headers(
      path, {.payload_size = plan_.train * datagram_size, .segment_size = datagram_size},
      MutableBytes(block_).subspan(block_used_));
  load.size = end - block_used_;
  block_used_ = end;
  loads_.push_back(load);
  return true;
}

std::size_t Upload::next_load() const { return next_ < loads_.size() ? loads_[next_].packets : 0; }

void Upload::write_next(Instant now) {
  const Load& load = loads_[next_++];
  std::fill_n(sent_at_.begin() + load.index, load.packets, now);
  if (!cards_.outer.write(Bytes(block_).subspan(load.offset, load.size))) ++result_.refused;
  ++result_.frames_in;
  ledger_.note_sent(load.packets);
}

std::size_t Upload::read_some() {
  std::size_t came = 0;
  for (std::size_t reads = 0; reads < kReadsAtOnce; ++reads) {
    const bool is_sample = result_.frames_out % plan_.sample == 0;
    const auto frame =
        cards_.inner.read(is_sample ? MutableBytes(frame_) : MutableBytes(frame_).first(kHeadSize));
    if (!frame) break;
    const auto arrival = read_inner_arrival(frame->header, frame->packet);
    if (!arrival) continue;
    ++result_.frames_out;
    const std::size_t awaited = ledger_.receive(arrival->stamp, arrival->packet_count);
    came += awaited;
    if (awaited > 0 && arrival->stamp.index < ledger_.stamp_count()) {
      result_.latency.add(monotonic_now() - sent_at_[arrival->stamp.index]);
    }
    if (is_sample) check(*arrival, frame->packet);
  }
  return came;
}

/// Every packet of the frame: its bytes, and that its stamp follows the one before.
void Upload::check(const InnerArrival& arrival, Bytes packet) {
  Bytes rest = packet.subspan(arrival.payload_offset);
  for (std::uint32_t i = 0; i < arrival.packet_count; ++i) {
    const Bytes payload = rest.first(std::min(arrival.payload_size, rest.size()));
    rest = rest.subspan(payload.size());
    const auto stamp = Stamp::read(payload);
    ++result_.checked;
    const bool follows = stamp && stamp->client == arrival.stamp.client &&
                         stamp->sequence == arrival.stamp.sequence + i;
    if (!follows || !payload_is_intact(payload)) ++result_.corrupted;
  }
}

}  // namespace ringway::wire
