#include "tests/sim/packet_ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cursor.h"

namespace ringway::sim {
namespace {

constexpr std::size_t kHeaderSize = 20 + 8;
constexpr std::size_t kNumberSize = 8;

std::optional<std::uint64_t> number_in(Bytes packet) {
  ByteReader reader(packet);
  reader.skip(kHeaderSize);
  const std::uint64_t number = reader.u64();
  if (reader.truncated()) return std::nullopt;
  return number;
}

/// Source and destination.
std::uint64_t route_of(Bytes packet) {
  return (std::uint64_t{load_be32(&packet[12])} << 32) | load_be32(&packet[16]);
}

std::uint16_t ip_checksum(Bytes header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) sum += load_be16(&header[i]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

bool is_spoofed(const PacketLedger::Route& route) {
  if (!route.owned || *route.owned == route.source) return false;
  return !route.network_behind || !route.network_behind->contains(route.source);
}

}  // namespace

std::vector<std::uint8_t> PacketLedger::make(const Route& route, Instant now) {
  const std::uint64_t number = next_number_++;
  // Sizes vary, so that nothing works for one of them only.
  std::vector<std::uint8_t> packet(kHeaderSize + kNumberSize + number * 37 % 1300,
                                   static_cast<std::uint8_t>(number));
  ByteWriter writer(packet);
  writer.u16(0x4500);
  writer.u16(static_cast<std::uint16_t>(packet.size()));
  writer.u32(0x00004000);  // Identification 0, don't fragment.
  writer.u32(0x40110000);  // Time to live 64, UDP, checksum below.
  writer.u32(route.source.v4_value());
  writer.u32(route.destination.v4_value());
  store_be16(&packet[10], ip_checksum(Bytes(packet).first(20)));
  writer.u32(0x10001000);
  writer.u16(static_cast<std::uint16_t>(packet.size() - 20));
  writer.u16(0);  // No UDP checksum.
  writer.u64(number);
  entries_.emplace(number, Entry{.bytes = packet, .sent = now, .is_spoofed = is_spoofed(route)});
  return packet;
}

std::optional<std::string> PacketLedger::note_delivered(Bytes packet, Instant) {
  const auto number = number_in(packet);
  const auto entry = number ? entries_.find(*number) : entries_.end();
  if (entry == entries_.end()) return "a packet came out that nobody sent";
  if (entry->second.is_spoofed) return fmt::format("packet {} claims another's source", *number);
  if (entry->second.delivered) return fmt::format("packet {} came out twice", *number);
  if (!std::ranges::equal(packet, entry->second.bytes)) {
    return fmt::format("packet {} came out changed", *number);
  }
  entry->second.delivered = true;
  ++delivered_;
  return std::nullopt;
}

void PacketLedger::withdraw(Bytes packet) {
  if (const auto number = number_in(packet)) entries_.erase(*number);
}

std::uint64_t PacketLedger::missing_between(Instant from, Instant until) const {
  return static_cast<std::uint64_t>(std::ranges::count_if(entries_, [&](const auto& entry) {
    return !entry.second.delivered && entry.second.sent >= from && entry.second.sent < until;
  }));
}

Duration PacketLedger::longest_silence() const {
  std::map<std::uint64_t, Instant> last;
  Duration longest{0};
  for (const auto& [number, entry] : entries_) {
    if (!entry.delivered) continue;
    const auto [heard, is_first] = last.try_emplace(route_of(entry.bytes), entry.sent);
    if (!is_first) longest = std::max(longest, entry.sent - heard->second);
    heard->second = entry.sent;
  }
  return longest;
}

}  // namespace ringway::sim
