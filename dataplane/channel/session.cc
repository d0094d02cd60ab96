#include "dataplane/channel/session.h"

#include <algorithm>
#include <utility>

#include "dataplane/channel/path_probe.h"

namespace ringway {
namespace {

PathMtu::Limits limits_of(const OuterFormat& outer, const SessionSettings& settings) {
  const std::size_t largest = std::min<std::size_t>(settings.tun_mtu + outer.size(), 0xfffe);
  return {.floor = outer.is_v4 ? PathMtu::kFloorV4 : PathMtu::kFloorV6,
          .ceiling = static_cast<std::uint16_t>(largest)};
}

KeyLimits limits_of(const SessionSettings& settings, KeyLimits limits) {
  if (settings.renegotiate_packets != 0) limits.worn_packets = settings.renegotiate_packets;
  return limits;
}

PathMtu make_path(const OuterFormat& outer, const SessionSettings& settings, Instant now) {
  switch (settings.path) {
    case PathKind::Ethernet: return PathMtu::fixed(PathMtu::kEthernet);
    case PathKind::Searched: return PathMtu(limits_of(outer, settings), now);
    case PathKind::Stream: break;
  }
  return PathMtu::fixed(0xffff);
}

}  // namespace

Session::Session(PeerId peer_id, const LinkEndpoint& endpoint, const SessionSettings& settings,
                 Instant now, const KeyLimits& limits)
    : peer_id_(peer_id),
      whereabouts_(endpoint),
      settings_(settings),
      seal_overhead_(outer().data_channel_size()),
      payload_offset_(settings.in_epochs ? kEpochPayloadOffset : seal_overhead_),
      ping_timer_(settings.ping_interval, settings.ping_restart, now),
      keys_(limits_of(settings, limits)),
      path_(make_path(outer(), settings, now)) {
  note_path();
}

std::expected<MutableBytes, Drop> Session::seal(Bytes payload, MutableBytes out, Instant now) {
  KeyState* const key = keys_.sealing(now);
  if (key == nullptr) return std::unexpected(Drop::NoKey);

  const DataHeader header{.opcode = settings_.data_v2 ? Opcode::DataV2 : Opcode::DataV1,
                          .key_id = key->key_id(),
                          .peer_id = peer_id_};
  const std::expected<MutableBytes, Drop> datagram = seal_packet(*key, header, payload, out);
  if (!datagram) return datagram;

  ping_timer_.note_sent(now);
  traffic_.bytes_sent += datagram->size();
  largest_sent_ = std::max(largest_sent_, datagram->size());
  return datagram;
}

std::expected<Session::Opened, Drop> Session::open(const DataHeader& header, MutableBytes datagram,
                                                   Instant now) {
  KeyState* const key = keys_.find(header.key_id, now);
  if (key == nullptr) return std::unexpected(Drop::UnknownKey);

  const PacketId newest_before = key->newest_opened();
  const std::expected<MutableBytes, Drop> payload = open_packet(*key, header, datagram);
  if (!payload) return std::unexpected(payload.error());

  keys_.promote(header.key_id);
  ping_timer_.note_received(now);
  traffic_.bytes_received += datagram.size();
  Opened opened{
      .kind = classify_payload(*payload),
      .payload = *payload,
      .is_newest = key->newest_opened() > newest_before && keys_.is_latest_in_use(header.key_id)};
  if (echo_path_mtu_ != 0 && opened.kind == PayloadKind::Packet &&
      is_echo_reply(*payload, settings_.ends, echo_sequence_)) {
    opened.kind = PayloadKind::Ignored;
    path_.note_answer(std::exchange(echo_path_mtu_, 0), now);
    note_path();
  }
  if (opened.kind != PayloadKind::Packet) handle_message(opened, datagram.size(), now);
  if (path_.phase() == PathMtu::Phase::Waiting) start_path(now);
  return opened;
}

void Session::handle_message(const Opened& opened, std::size_t datagram_size, Instant now) {
  if (opened.kind == PayloadKind::MtuReply) {
    path_.note_answer(read_mtu_reply(opened.payload) + udp_and_ip_size(), now);
    return note_path();
  }
  if (opened.kind != PayloadKind::MtuRequest) return;
  const Instant due = std::max(next_answer_, now);
  if (due - now >= kAnswersAtOnce * kAnswerInterval) return;
  next_answer_ = due + kAnswerInterval;
  answer_size_ = std::max(answer_size_, datagram_size);
}

std::optional<MutableBytes> Session::poll_message(MutableBytes scratch, Instant now) {
  std::expected<MutableBytes, Drop> message = std::unexpected(Drop::NoKey);
  if (answer_size_ != 0) {
    const std::size_t received = std::exchange(answer_size_, 0);
    message = seal(make_mtu_reply(static_cast<std::uint16_t>(received)), scratch, now);
  } else if (const auto size = path_.take_probe(now)) {
    const std::size_t request_size = outer().inner_size_max(*size);
    if (request_size < kMtuRequestSizeMin || seal_overhead_ + request_size > scratch.size()) {
      return std::nullopt;
    }
    const MutableBytes request = scratch.subspan(payload_offset_, request_size);
    write_probe(request, *size);
    const std::size_t largest_packet = largest_sent_;
    message = seal(request, scratch, now);
    largest_sent_ = largest_packet;
  }
  if (!message) return std::nullopt;
  return *message;
}

void Session::write_probe(MutableBytes request, std::uint16_t path_mtu) {
  echo_path_mtu_ = 0;
  if (!probes_by_echo_ || request.size() < kEchoProbeSizeMin) return write_mtu_request(request);
  echo_path_mtu_ = path_mtu;
  write_echo_request(request, settings_.ends, ++echo_sequence_);
}

void Session::move_to(const LinkEndpoint& endpoint, Instant now) {
  whereabouts_.move_to(endpoint, now);
  path_.restart(limits_of(outer(), settings_), now);
  note_path();
}

void Session::start_path(Instant now) {
  path_.start(now);
  note_path();
}

void Session::note_refused(std::size_t datagram_size, Instant now) {
  path_.note_refused(datagram_size + udp_and_ip_size(), now);
  note_path();
}

void Session::note_hint(std::size_t mtu, Instant now) {
  path_.note_hint(mtu, now);
  note_path();
}

void Session::handle_timeout(Instant now) {
  if (now >= prepared_at_ + kPreparationInterval) {
    prepared_at_ = now;
    keys_.prepare();
  }
  if (now < path_.deadline()) return;
  // Nearly every path carries so much, of either family.
  const std::size_t smallest = PathMtu::kFloorV6 - udp_and_ip_size();
  const bool was_silent = path_.phase() == PathMtu::Phase::Silent;
  path_.handle_timeout(now, std::exchange(largest_sent_, 0) > smallest);
  if (!was_silent && path_.phase() == PathMtu::Phase::Silent) {
    // Each kind of probe has its turn; who answers neither is left alone for a while.
    probes_by_echo_ = !probes_by_echo_ && settings_.ends.are_known();
    if (probes_by_echo_) path_.retry(now);
  }
  note_path();
}

void Session::note_path() {
  packet_max_ = outer().inner_size_max(path_.size());
  mss_ = mss_limits(settings_.mssfix, outer(),
                    {.packet_max = packet_max_, .is_measured = path_.is_measured()});
}

}  // namespace ringway
