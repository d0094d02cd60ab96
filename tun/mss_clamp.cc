#include "tun/mss_clamp.h"

#include <array>
#include <bit>
#include <optional>

#include "base/check.h"
#include "base/cursor.h"
#include "tun/checksum.h"

namespace ringway {
namespace {

constexpr std::uint8_t kEndOfList = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kMaximumSegmentSize = 2;
constexpr std::uint8_t kMssOptionSize = 4;
constexpr std::size_t kOptionsSizeMax = 40;
constexpr std::size_t kChecksumOffset = 16;

/// Where in the options the values of MSS options stand. One is the rule; whoever sends several
/// cannot know which of them counts, so that all are lowered.
struct MssPlaces {
  std::array<std::uint8_t, kOptionsSizeMax / kMssOptionSize> offsets{};
  std::size_t count = 0;
};

/// RFC 9293 3.1: kind, length (with both), value; kinds 0 and 1 are a single byte. Nothing when an
/// option's length is impossible.
std::optional<MssPlaces> find_mss(Bytes options) {
  MssPlaces places;
  ByteReader reader(options);
  while (reader.left() > 0) {
    const std::uint8_t kind = reader.u8();
    if (kind == kEndOfList) break;
    if (kind == kNoOperation) continue;
    const std::uint8_t size = reader.u8();
    if (reader.truncated() || size < 2) return std::nullopt;
    if (kind == kMaximumSegmentSize) {
      if (size != kMssOptionSize) return std::nullopt;
      places.offsets[places.count] = static_cast<std::uint8_t>(options.size() - reader.left());
      ++places.count;
    }
    reader.skip(size - 2u);
    if (reader.truncated()) return std::nullopt;
  }
  return places;
}

}  // namespace

bool clamp_mss(MutableBytes packet, const IpPacket& ip, const MssLimits& limits) {
  RW_ASSERT(ip.bytes.data() == packet.data());
  RW_ASSERT(ip.bytes.size() <= packet.size());
  const std::uint16_t limit = ip.is_v4() ? limits.v4 : limits.v6;
  if (limit == 0 || ip.protocol != ip_protocol::kTcp) return false;
  if (ip.is_fragment || (!ip.is_v4() && ip.has_options)) return false;
  const auto tcp = ip.tcp();
  if (!tcp || (tcp->flags & tcp_flag::kSyn) == 0) return false;
  const auto places = find_mss(tcp->options);
  if (!places) return false;

  const MutableBytes segment = packet.subspan(ip.header_size);
  std::uint16_t checksum = tcp->checksum;
  bool changed = false;
  for (std::size_t i = 0; i < places->count; ++i) {
    const std::size_t at = kTcpHeaderMin + places->offsets[i];
    WordChange change{.from = load_be16(segment.data() + at), .to = limit};
    if (change.from <= limit) continue;
    store_be16(segment.data() + at, limit);
    // At an odd place the value's bytes lie in two words, each in the other half: in a one's
    // complement sum that is the same as one word with its bytes swapped (RFC 1071 2(B)).
    if (at % 2 != 0) change = {std::byteswap(change.from), std::byteswap(change.to)};
    checksum = updated_checksum(checksum, change);
    changed = true;
  }
  if (changed) store_be16(segment.data() + kChecksumOffset, checksum);
  return changed;
}

}  // namespace ringway
