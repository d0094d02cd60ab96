#include "dataplane/channel/echo_probe.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "dataplane/channel/keepalive.h"

namespace ringway {
namespace {

constexpr std::size_t kIcmpHeader = 8;
constexpr std::uint16_t kIdentifier = 0x5257;
constexpr std::uint8_t kHops = 64;

/// The numbers in which the families differ.
struct Family {
  std::size_t header_size;
  std::size_t source_at;
  std::size_t address_size;
  std::size_t protocol_at;
  std::uint8_t protocol;
  std::uint8_t request;
  std::uint8_t reply;

  [[nodiscard]] std::size_t destination_at() const { return source_at + address_size; }
};
constexpr Family kV4{.header_size = 20,
                     .source_at = 12,
                     .address_size = 4,
                     .protocol_at = 9,
                     .protocol = 1,
                     .request = 8,
                     .reply = 0};
constexpr Family kV6{.header_size = 40,
                     .source_at = 8,
                     .address_size = 16,
                     .protocol_at = 6,
                     .protocol = 58,
                     .request = 128,
                     .reply = 129};

const Family& family_of(const TunnelEnds& ends) { return ends.ours.is_v4() ? kV4 : kV6; }

std::uint32_t sum_of_words(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be16(bytes.data() + i);
  if (bytes.size() % 2 != 0) sum += std::uint32_t{bytes.back()} << 8;
  return sum;
}

/// RFC 1071. A packet of 64 KiB does not overflow the sum.
std::uint16_t checksum(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void write_headers(MutableBytes out, const TunnelEnds& ends, std::uint16_t sequence) {
  const Family& family = family_of(ends);
  if (ends.ours.is_v4()) {
    out[0] = 0x45;
    store_be16(out.data() + 2, static_cast<std::uint16_t>(out.size()));
    store_be16(out.data() + 4, sequence);
    out[8] = kHops;
  } else {
    out[0] = 0x60;
    store_be16(out.data() + 4, static_cast<std::uint16_t>(out.size() - family.header_size));
    out[7] = kHops;
  }
  out[family.protocol_at] = family.protocol;
  std::ranges::copy(ends.ours.wire(), out.begin() + static_cast<std::ptrdiff_t>(family.source_at));
  std::ranges::copy(ends.theirs.wire(),
                    out.begin() + static_cast<std::ptrdiff_t>(family.destination_at()));
  if (ends.ours.is_v4()) {
    store_be16(out.data() + 10, checksum(sum_of_words(out.first(family.header_size))));
  }
}

}  // namespace

void write_echo_request(MutableBytes out, const TunnelEnds& ends, std::uint16_t sequence) {
  RW_ASSERT(out.size() >= kEchoProbeSizeMin);
  RW_ASSERT(out.size() <= 0xffff);
  RW_ASSERT(ends.ours.is_v4() == ends.theirs.is_v4());
  const Family& family = family_of(ends);
  std::ranges::fill(out, std::uint8_t{0});
  write_headers(out, ends, sequence);

  const MutableBytes icmp = out.subspan(family.header_size);
  icmp[0] = family.request;
  store_be16(icmp.data() + 4, kIdentifier);
  store_be16(icmp.data() + 6, sequence);
  std::ranges::copy(kOccMagic, icmp.begin() + kIcmpHeader);
  std::uint32_t sum = sum_of_words(icmp);
  if (!ends.ours.is_v4()) {
    // The pseudo header of RFC 8200 8.1.
    sum += sum_of_words(out.subspan(family.source_at, 2 * family.address_size));
    sum += static_cast<std::uint32_t>(icmp.size()) + family.protocol;
  }
  store_be16(icmp.data() + 2, checksum(sum));
}

/// The tag of the datagram has vouched for the bytes; what is compared says which packet it is.
bool is_echo_reply(Bytes packet, const TunnelEnds& ends, std::uint16_t sequence) {
  const Family& family = family_of(ends);
  if (packet.size() < kEchoProbeSizeMin) return false;
  const std::uint8_t first = ends.ours.is_v4() ? 0x45 : 0x60;
  if ((packet[0] & (ends.ours.is_v4() ? 0xff : 0xf0)) != first) return false;
  if (packet[family.protocol_at] != family.protocol) return false;
  const auto is_at = [&](std::size_t at, const IpAddress& address) {
    return std::ranges::equal(packet.subspan(at, family.address_size), address.wire());
  };
  if (!is_at(family.source_at, ends.theirs) || !is_at(family.destination_at(), ends.ours)) {
    return false;
  }
  const Bytes icmp = packet.subspan(family.header_size);
  return icmp[0] == family.reply && load_be16(icmp.data() + 4) == kIdentifier &&
         load_be16(icmp.data() + 6) == sequence &&
         std::ranges::equal(icmp.subspan(kIcmpHeader, kOccMagic.size()), kOccMagic);
}

}  // namespace ringway
