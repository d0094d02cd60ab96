#include "perf/src/wire/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/opcode.h"

namespace ringway::wire {
namespace {

/// DATA_V2 header, packet id and tag.
constexpr std::size_t kPlainOverhead = 24;

void write_plain_header(MutableBytes out) {
  std::ranges::fill(out.first(kPlainOverhead), std::uint8_t{0});
  out[0] = first_byte(Opcode::DataV2, {});
}

}  // namespace

Fleet::Fleet(const FleetPlan& plan, const Identity& identity, Nic& outer)
    : plan_(plan),
      identity_(identity),
      outer_(outer),
      inner_addresses_(plan.client_count),
      frame_(Nic::kFrameMax),
      scratch_(ClientCore::kDatagramSizeMax) {
  if (!is_plain()) return;
  for (std::uint32_t i = 0; i < plan.client_count; ++i) {
    inner_addresses_[i] = plan.plain_inner_address->plus(i);
  }
}

OuterPath Fleet::path_of(std::uint32_t client) const {
  return {.client = {.address = plan_.first_address.plus(client), .port = plan_.port},
          .server = plan_.server};
}

std::optional<std::uint32_t> Fleet::client_at(const Endpoint& endpoint) const {
  if (endpoint.port != plan_.port) return std::nullopt;
  const std::uint64_t first = load_be64(plan_.first_address.bytes().data() + 8);
  const std::uint64_t offset = load_be64(endpoint.address.bytes().data() + 8) - first;
  if (offset >= plan_.client_count) return std::nullopt;
  return static_cast<std::uint32_t>(offset);
}

Result<void> Fleet::connect(Duration limit) {
  if (is_plain()) {
    announce();
    return {};
  }
  const Instant deadline = monotonic_now() + limit;
  while (connected_count_ < plan_.client_count) {
    const Now now = read_clocks();
    if (cores_.size() < plan_.client_count && cores_.size() - connected_count_ < kConnectingMax) {
      start(static_cast<std::uint32_t>(cores_.size()), now);
    }
    service(now);
    if (!failure_.empty()) return fail(failure_);
    if (now.instant > deadline) {
      return fail(fmt::format("{} of {} clients are connected after {} s", connected_count_,
                              plan_.client_count,
                              std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
    }
  }
  return {};
}

void Fleet::start(std::uint32_t client, Now now) {
  cores_.emplace_back(identity_.settings, identity_.wrap, identity_.tls, random_, now);
  pump(client, now);
}

void Fleet::service(Now now) {
  receive(now);
  for (std::uint32_t i = 0; i < cores_.size(); ++i) {
    const auto due = cores_[i].poll_timeout();
    if (!due || *due > now.instant) continue;
    cores_[i].handle_timeout(now);
    pump(i, now);
  }
}

void Fleet::receive(Now now) {
  while (const auto frame = outer_.read(frame_)) {
    const auto arrival = read_outer_arrival(frame->header, frame->packet);
    if (!arrival) continue;
    const auto client = client_at(arrival->to);
    if (!client || *client >= cores_.size()) continue;
    MutableBytes rest = frame->packet.subspan(arrival->payload_offset);
    while (!rest.empty()) {
      const std::size_t size = std::min(arrival->segment_size, rest.size());
      (void)cores_[*client].handle_datagram(rest.first(size), now);
      rest = rest.subspan(size);
    }
    pump(*client, now);
  }
}

void Fleet::pump(std::uint32_t client, Now now) {
  while (const auto datagram = cores_[client].poll_transmit(scratch_, now)) {
    send(client, *datagram);
  }
  while (const auto event = cores_[client].poll_event()) {
    std::visit([&](const auto& what) { handle(client, what); }, *event);
  }
}

void Fleet::send(std::uint32_t client, Bytes datagram) {
  const MutableBytes frame(frame_);
  const MutableBytes head = write_outer_headers(
      path_of(client), {.payload_size = datagram.size(), .segment_size = 0}, frame);
  std::ranges::copy(datagram, frame.subspan(head.size()).begin());
  (void)outer_.write(frame.first(head.size() + datagram.size()));
}

void Fleet::announce() {
  if (!is_plain()) return;
  // One byte behind the header is no IP packet, and goes no farther.
  write_plain_header(scratch_);
  send(0, Bytes(scratch_).first(kPlainOverhead + 1));
}

void Fleet::handle(std::uint32_t client, const ClientConnected& event) {
  ++connected_count_;
  if (const auto value = find_option(event.push, "ifconfig")) {
    if (const auto address = IpAddress::parse(value->substr(0, value->find(' ')))) {
      inner_addresses_[client] = *address;
      return;
    }
  }
  failure_ = fmt::format("client {} was given no IPv4 address", client);
}

void Fleet::handle(std::uint32_t client, const ClientDisconnected& event) {
  failure_ = fmt::format("client {} was disconnected: {}", client, event.reason);
}

std::optional<Bytes> Fleet::seal(std::uint32_t client, Bytes packet, MutableBytes out, Now now) {
  if (!is_plain()) return cores_.at(client).handle_packet(packet, out, now);
  if (kPlainOverhead + packet.size() > out.size()) return std::nullopt;
  write_plain_header(out);
  std::ranges::copy(packet, out.subspan(kPlainOverhead).begin());
  return out.first(kPlainOverhead + packet.size());
}

std::optional<Bytes> Fleet::open(std::uint32_t client, MutableBytes datagram, Now now) {
  if (is_plain()) {
    if (datagram.size() <= kPlainOverhead) return std::nullopt;
    return datagram.subspan(kPlainOverhead);
  }
  const auto packet = cores_.at(client).handle_datagram(datagram, now);
  if (!packet) return std::nullopt;
  return packet->packet;
}

}  // namespace ringway::wire
