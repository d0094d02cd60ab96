#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/gso_batch.h"
#include "tests/dataplane/datapath_rig.h"
#include "tun/segmenter.h"

// What a TUN with offloads gives, super-packets and all, through a worker's downlink as LinkFeeder
// takes it: routed once, then cut, sealed into trains, and opened by the client. The input is eight
// bytes of choices, a vnet header and a packet, which the choices can make longer and consistent.
// For any bytes holds:
//   - the client opens exactly the packets that the copying segmenter makes of the frame, in order;
//   - each datagram has the size that was announced, and lies within the memory that was lent;
//   - a train has datagrams of one size but for a smaller last, and is within the kernel's bounds;
//   - what comes out of a frame and what is counted as dropped is as many packets as it had;
//   - nothing behind the packet is touched.

namespace ringway {
namespace {

using test::Packet;

struct Choices {
  bool repair = false;
  bool repair_checksum = false;
  bool move_before = false;
  bool lose_session = false;
  bool renew_key = false;
  std::uint16_t added_size = 0;
  std::uint8_t segments_max = 0;
  /// Before this packet of the frame its session goes, or gets another key.
  std::uint16_t event_at = 0;
};

Choices read_choices(ByteReader& reader) {
  const std::uint8_t bits = reader.u8();
  return {.repair = (bits & 1) != 0,
          .repair_checksum = (bits & 2) != 0,
          .move_before = (bits & 4) != 0,
          .lose_session = (bits & 8) != 0,
          .renew_key = (bits & 16) != 0,
          .added_size = reader.u16(),
          .segments_max = reader.u8(),
          .event_at = reader.u16()};
}

/// Its lengths, its kind and its destination made right, so that what lies behind is reached.
void repair_packet(Packet& packet, const VnetHeader& header) {
  const bool is_v6 = header.gso_type == GsoType::TcpV6 || packet[0] >> 4 == 6;
  if (is_v6 && packet.size() >= kIpv6HeaderSize) {
    packet[0] = static_cast<std::uint8_t>(0x60 | (packet[0] & 0x0f));
    store_be16(packet.data() + 4, static_cast<std::uint16_t>(packet.size() - kIpv6HeaderSize));
    std::ranges::copy(test::address("fd00::2").bytes(), &packet[24]);
  } else if (!is_v6 && packet.size() >= kIpv4HeaderMin) {
    const std::size_t words = packet[0] & 0x0f;
    const bool is_possible = words >= 5 && words * 4 <= packet.size();
    packet[0] = static_cast<std::uint8_t>(0x40 | (is_possible ? words : 5));
    store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
    store_be32(packet.data() + 16, 0x0a080002);
    store_be16(packet.data() + 10, 0);
    const std::size_t header_size = std::size_t{packet[0] & 0x0fu} * 4;
    store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(header_size)));
  }
}

/// The vnet header says of the checksum what a kernel would, and UDP's length is right.
void repair_transport(Packet& packet, VnetHeader& header) {
  const auto ip = parse_ip_packet(packet);
  if (!ip || ip->header_size + kUdpHeaderSize > packet.size()) return;
  const bool is_tcp = ip->protocol == ip_protocol::kTcp;
  if (!is_tcp) {
    store_be16(packet.data() + ip->header_size + 4,
               static_cast<std::uint16_t>(packet.size() - ip->header_size));
  }
  header.needs_checksum = true;
  header.checksum_start = static_cast<std::uint16_t>(ip->header_size);
  header.checksum_offset = is_tcp ? 16 : 6;
}

std::vector<Packet> reference_packets(const VnetHeader& header, Bytes bytes) {
  auto segmenter = Segmenter::start(header, parse_ip_packet(bytes).value());
  std::vector<Packet> packets;
  while (segmenter->next_size() > 0) {
    segmenter->write_next(packets.emplace_back(segmenter->next_size()));
  }
  return packets;
}

class Frame {
 public:
  Frame(const Choices& choices, const VnetHeader& header, Packet packet)
      : choices_(choices),
        header_(header),
        packet_(std::move(packet)),
        original_(packet_),
        client_(rig_.connect({1}, {"10.8.0.2/32", "fd00::2/128"},
                             {.mssfix = {.value = 1340, .mode = MssFix::Mode::Fixed}})) {}

  /// Twice into the same trains, since a smaller last packet closes the train that it is in.
  void pass() {
    start_train();
    if (pass_once()) pass_once();
    open_train();
    RW_ASSERT(opened_count_ + drop_count() == expected_.size());
  }

 private:
  bool pass_once() {
    packet_ = original_;
    const std::uint64_t drops_before = drop_count();
    std::expected<RoutedFrame, Drop> frame = rig_.datapath.route_frame(header_, packet_);
    RW_ASSERT(packet_ == original_);
    if (!frame) {
      RW_ASSERT(expected_.empty());
      count_refusal(frame.error());
      return false;
    }
    RW_ASSERT(drop_count() == drops_before);
    // Cut or answered, which is fuzz_fitted_packets' business.
    if (frame->segmenter.next_size() > test::rig_settings().tun_mtu) return false;
    RW_ASSERT(frame->owner == WorkerId{0} && frame->peer == PeerId{1});
    const std::vector<Packet> packets = reference_packets(header_, original_);
    RW_ASSERT(packets.size() == frame->segmenter.packet_count());
    RW_ASSERT(packets.size() <= Segmenter::kSegmentsMax);
    expected_.insert(expected_.end(), packets.begin(), packets.end());
    if (choices_.move_before) move(*frame);
    send(*frame);
    const std::size_t used_size = parse_ip_packet(original_)->total_length();
    RW_ASSERT(
        std::ranges::equal(Bytes(packet_).subspan(used_size), Bytes(original_).subspan(used_size)));
    return true;
  }

  /// What is dropped counts as many packets as the frame would have become, at least one.
  void count_refusal(Drop reason) {
    const std::uint64_t dropped = rig_.count(reason);
    RW_ASSERT(dropped >= 1 && dropped <= Segmenter::kSegmentsMax);
    RW_ASSERT(dropped == drop_count());
    expected_.resize(dropped);
  }

  /// As a packet that waits in a copy of its own.
  void move(RoutedFrame& frame) {
    Packet moved = packet_;
    frame.segmenter.note_moved(moved);
    packet_.swap(moved);  // The storage goes along; what is left behind is wiped.
    std::ranges::fill(moved, std::uint8_t{0xee});
  }

  void send(RoutedFrame& frame) {
    while (frame.segmenter.left_count() > 0) {
      if (expected_.size() - frame.segmenter.left_count() == choices_.event_at) happen();
      const std::size_t left = frame.segmenter.left_count();
      const std::uint64_t drops_before = drop_count();
      const auto target = rig_.datapath.target_of(frame);
      if (!target) {
        RW_ASSERT(choices_.lose_session);
        RW_ASSERT(drop_count() == drops_before + left);
        break;
      }
      RW_ASSERT(target->endpoint() == client_.endpoint);
      RW_ASSERT(target->seal_overhead() <= Datapath::kSealOverheadMax);
      seal(frame, *target);
      RW_ASSERT(frame.segmenter.left_count() == left - 1);
    }
  }

  void seal(RoutedFrame& frame, const PeerTarget& target) {
    const std::size_t size = target.seal_overhead() + frame.segmenter.next_size();
    RW_ASSERT(size == target.seal_overhead() + expected_[sealed_count_].size());
    if (train_.reserve(size).empty()) {
      RW_ASSERT(train_.segment_count() > 0);
      open_train();
      start_train();
    }
    const MutableBytes room = train_.reserve(size);
    RW_ASSERT(room.size() == size);
    const auto datagram = rig_.datapath.seal_next(frame, target, packet_, room, test::kStart);
    RW_ASSERT(datagram.has_value());
    RW_ASSERT(datagram->data() == room.data() && datagram->size() == size);
    train_.commit(size);
    ++sealed_count_;
  }

  void start_train() {
    memory_.assign(65'536 + kCanarySize, kCanary);
    train_.start(MutableBytes(memory_).first(65'536), choices_.segments_max % 128 + 1u);
  }

  void open_train() {
    RW_ASSERT(train_.size() <= GsoBatch::kSizeMax);
    RW_ASSERT(train_.segment_count() <= choices_.segments_max % 128 + 1u);
    const auto is_canary = [](std::uint8_t byte) { return byte == kCanary; };
    RW_ASSERT(std::all_of(memory_.begin() + static_cast<std::ptrdiff_t>(train_.size()),
                          memory_.end(), is_canary));
    for (std::size_t i = 0; i < train_.segment_count(); ++i) {
      const MutableBytes datagram = train_.segment(i);
      const bool is_last = i + 1 == train_.segment_count();
      RW_ASSERT(datagram.size() == train_.segment_size() ||
                (is_last && datagram.size() < train_.segment_size()));
      judge(client_.open(datagram));
    }
  }

  void judge(const Packet& opened) {
    const Packet& wanted = expected_[opened_count_];
    RW_ASSERT(opened.size() == wanted.size());
    if (opened != wanted) {
      // A SYN's MSS and the checksum over it may differ, and nothing else does.
      RW_ASSERT(!header_.is_gso());
      const auto ip = parse_ip_packet(wanted);
      RW_ASSERT(ip && ip->tcp() && (ip->tcp()->flags & tcp_flag::kSyn) != 0);
      const std::size_t checksum = ip->header_size + 16;
      RW_ASSERT(std::ranges::equal(Bytes(wanted).first(checksum), Bytes(opened).first(checksum)));
      const std::size_t payload_size = ip->tcp()->payload.size();
      RW_ASSERT(
          std::ranges::equal(Bytes(wanted).last(payload_size), Bytes(opened).last(payload_size)));
    }
    ++opened_count_;
  }

  /// In the middle of a frame, what commands of the control thread can do to its session.
  void happen() {
    if (choices_.lose_session) {
      rig_.datapath.handle_command(RemoveSession{.peer_id = {1}}, test::kStart);
    } else if (choices_.renew_key) {
      rig_.install(client_, test::make_keys({1}, 9), test::make_peer_keys({1}, 9));
      rig_.datapath.handle_command(ConfirmKey{.peer_id = {1}, .key_id = {1}}, test::kStart);
    }
  }

  std::uint64_t drop_count() const {
    const auto& drops = rig_.datapath.drops();
    return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
  }

  static constexpr std::uint8_t kCanary = 0xc5;
  static constexpr std::size_t kCanarySize = 64;

  Choices choices_;
  VnetHeader header_;
  Packet packet_;
  Packet original_;
  test::DatapathRig rig_;
  test::RigClient& client_;
  std::vector<Packet> expected_;
  std::size_t sealed_count_ = 0;
  std::size_t opened_count_ = 0;
  Packet memory_;
  GsoBatch train_;
};

void pass_frame(Bytes input) {
  ByteReader reader(input);
  const Choices choices = read_choices(reader);
  const Bytes frame = reader.take(reader.left());
  if (reader.truncated()) return;
  std::expected<VnetHeader, Drop> header = parse_vnet_header(frame);
  if (!header || frame.size() == kVnetHeaderSize) return;
  const Bytes given = frame.subspan(kVnetHeaderSize);
  Packet packet(given.begin(), given.end());
  const Packet added = test::counting_bytes(
      std::min<std::size_t>(choices.added_size, std::size_t{65'535} - packet.size()));
  packet.insert(packet.end(), added.begin(), added.end());
  if (choices.repair) repair_packet(packet, *header);
  if (choices.repair_checksum) repair_transport(packet, *header);
  Frame(choices, *header, std::move(packet)).pass();
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // As much as a TUN can give; libFuzzer itself may hand in more.
  if (size <= 65'535) ringway::pass_frame({data, size});
  return 0;
}
