#include "perf/src/wire/download.h"

#include <algorithm>

#include "base/cursor.h"
#include "base/opcode.h"
#include "dataplane/channel/packet_header.h"

namespace ringway::wire {
namespace {

constexpr std::size_t kBlockPackets = 131'072;
/// Of what comes out, as much as shows the packet id behind virtio, IPv6 and UDP.
constexpr std::size_t kHeadSize = 96;
constexpr std::size_t kReadsAtOnce = 64;

}  // namespace

Download::Download(const RunPlan& plan, const RunStart& start, Fleet& fleet, const Cards& cards)
    : plan_(plan),
      fleet_(fleet),
      cards_(cards),
      ledger_(plan.clients, start.last_block),
      packet_ids_(plan.clients),
      burst_left_(plan.burst),
      sent_at_(kBlockPackets),
      stamps_(InnerFlow::kTrainMax),
      frame_(Nic::kFrameMax),
      received_frame_(Nic::kFrameMax) {
  for (std::uint32_t i = 0; i < plan.clients; ++i) {
    flows_.emplace_back(plan.inner,
                        InnerPath{.source = start.internet,
                                  .destination = fleet.inner_address_of(i),
                                  .source_port = 443,
                                  .destination_port = 40000},
                        plan.packet_size);
  }
}

RunResult Download::run() {
  fleet_.announce();
  const Instant start = monotonic_now();
  while (wants_more(plan_, result_, start)) {
    fleet_.service(read_clocks());
    ledger_.open_block();
    packets_left_ = kBlockPackets;
    if (!run_block(*this, plan_, result_)) break;
  }
  result_.tally = ledger_.tally();
  result_.last_block = ledger_.block();
  // What was opened is a sample; the datagrams have all been counted.
  result_.tally.received = received_;
  result_.tally.reordered = packet_ids_.reordered();
  result_.tally.strange += strange_;
  return result_;
}

std::size_t Download::next_load() const { return std::min(plan_.train, packets_left_); }

void Download::write_next(Instant now) {
  const std::size_t packets = next_load();
  if (!cards_.inner.write(make_frame(client_, packets, now))) ++result_.refused;
  ++result_.frames_in;
  ledger_.note_sent(packets);
  packets_left_ -= packets;
  if (--burst_left_ > 0) return;
  burst_left_ = plan_.burst;
  client_ = (client_ + 1) % plan_.clients;
}

Bytes Download::make_frame(std::uint32_t client, std::size_t packets, Instant now) {
  for (std::size_t i = 0; i < packets; ++i) {
    stamps_[i] = ledger_.prepare(client);
    sent_at_[stamps_[i].index] = now;
  }
  const MutableBytes room(frame_);
  const MutableBytes packet_room = room.subspan(kVnetHeaderSize);
  VnetHeader header;
  std::size_t size = 0;
  if (plan_.train == 1) {
    size = flows_[client].write(stamps_[0], packet_room).size();
  } else {
    const auto train = flows_[client].write_train(std::span(stamps_).first(packets), packet_room);
    header = train.header;
    size = train.packet.size();
  }
  write_vnet_header(room.first<kVnetHeaderSize>(), header);
  return room.first(kVnetHeaderSize + size);
}

std::size_t Download::read_some() {
  std::size_t came = 0;
  for (std::size_t reads = 0; reads < kReadsAtOnce; ++reads) {
    const bool is_sample = result_.frames_out % plan_.sample == 0;
    const MutableBytes room(received_frame_);
    const auto frame = cards_.outer.read(is_sample ? room : room.first(kHeadSize));
    if (!frame) break;
    const auto arrival = read_outer_arrival(frame->header, frame->packet);
    const auto client = arrival ? fleet_.client_at(arrival->to) : std::nullopt;
    if (!client || *client >= plan_.clients) {
      ++strange_;
      continue;
    }
    const std::size_t packets =
        count(*arrival, *client, frame->packet.subspan(arrival->payload_offset));
    if (packets == 0) continue;
    ++result_.frames_out;
    came += packets;
    if (is_sample) check(*arrival, *client, frame->packet);
  }
  received_ += came;
  return came;
}

std::size_t Download::count(const OuterArrival& arrival, std::uint32_t client, Bytes first) {
  const auto header = parse_data_header(first);
  if (!header) return 0;
  ByteReader reader(first);
  reader.skip(header->size());
  const std::uint32_t packet_id = reader.u32();
  if (reader.truncated()) return 0;
  packet_ids_.receive(client, packet_id, arrival.datagram_count);
  return arrival.datagram_count;
}

void Download::check(const OuterArrival& arrival, std::uint32_t client, MutableBytes packet) {
  MutableBytes rest = packet.subspan(arrival.payload_offset);
  const Now now = read_clocks();
  while (!rest.empty()) {
    const MutableBytes datagram = rest.first(std::min(arrival.segment_size, rest.size()));
    rest = rest.subspan(datagram.size());
    const auto opened = fleet_.open(client, datagram, now);
    ++result_.checked;
    if (opened) {
      check_packet(client, *opened);
    } else {
      ++result_.corrupted;
    }
  }
}

void Download::check_packet(std::uint32_t client, Bytes packet) {
  const auto inner = read_inner_arrival({}, packet);
  const bool is_ours = inner && inner->stamp.client == client &&
                       packet.size() == plan_.packet_size &&
                       payload_is_intact(packet.subspan(inner->payload_offset));
  if (!is_ours || inner->stamp.index >= ledger_.stamp_count()) {
    ++result_.corrupted;
    return;
  }
  (void)ledger_.receive(inner->stamp, 1);
  result_.latency.add(monotonic_now() - sent_at_[inner->stamp.index]);
}

}  // namespace ringway::wire
