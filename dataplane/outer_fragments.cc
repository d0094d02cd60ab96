#include "dataplane/outer_fragments.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "tun/checksum.h"

namespace ringway {
namespace {

constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kFragmentHeader = 8;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kDatagramMax = 65'487;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kHopLimit = 64;
constexpr std::uint16_t kMoreFragments = 1;
/// All fragments but the last carry a multiple of eight bytes.
constexpr std::size_t kPieceMax =
    (OuterFragments::kSizeMax - kIpv6Header - kFragmentHeader) / 8 * 8;

std::array<std::uint8_t, kUdpHeader> udp_header(const OuterFragments::Header& header,
                                                std::size_t size, std::uint16_t checksum) {
  std::array<std::uint8_t, kUdpHeader> bytes{};
  store_be16(bytes.data(), header.from.port);
  store_be16(bytes.data() + 2, header.to.port);
  store_be16(bytes.data() + 4, static_cast<std::uint16_t>(size));
  store_be16(bytes.data() + 6, checksum);
  return bytes;
}

/// Not optional over IPv6; what comes out as zero is sent as its other form (RFC 8200 8.1).
std::uint16_t udp_checksum(const OuterFragments::Header& header, Bytes datagram) {
  std::array<std::uint8_t, 32> addresses{};
  std::ranges::copy(header.from.address.bytes(), addresses.begin());
  std::ranges::copy(header.to.address.bytes(), addresses.begin() + 16);
  const std::size_t size = kUdpHeader + datagram.size();
  ChecksumSum sum = sum_of(
      {.addresses = addresses, .protocol = kUdp, .length = static_cast<std::uint32_t>(size)});
  sum.add(udp_header(header, size, 0));
  sum.add(datagram);
  const std::uint16_t checksum = sum.checksum();
  return checksum == 0 ? 0xffff : checksum;
}

}  // namespace

OuterFragments::OuterFragments(const Header& header, Bytes datagram)
    : header_(header),
      datagram_(datagram),
      checksum_(udp_checksum(header, datagram)),
      size_(kUdpHeader + datagram.size()) {
  RW_ASSERT(datagram.size() <= kDatagramMax);
  RW_ASSERT(!header.from.address.is_v4());
  RW_ASSERT(!header.to.address.is_v4());
}

///     IPv6 header | next header 17, 0, offset and M, identification | a piece of the UDP packet
MutableBytes OuterFragments::write_next(MutableBytes out) {
  RW_ASSERT(!is_done());
  RW_ASSERT(out.size() >= kSizeMax);
  const std::size_t piece = std::min(kPieceMax, size_ - offset_);
  const bool is_last = offset_ + piece == size_;

  std::ranges::fill(out.first(kIpv6Header + kFragmentHeader), std::uint8_t{0});
  out[0] = 0x60;
  store_be16(out.data() + 4, static_cast<std::uint16_t>(kFragmentHeader + piece));
  out[6] = kFragment;
  out[7] = kHopLimit;
  std::ranges::copy(header_.from.address.bytes(), out.begin() + 8);
  std::ranges::copy(header_.to.address.bytes(), out.begin() + 24);
  out[40] = kUdp;
  store_be16(out.data() + 42, static_cast<std::uint16_t>(offset_ | (is_last ? 0 : kMoreFragments)));
  store_be32(out.data() + 44, header_.identification);

  MutableBytes body = out.subspan(kIpv6Header + kFragmentHeader, piece);
  if (offset_ == 0) {
    std::ranges::copy(udp_header(header_, size_, checksum_), body.begin());
    std::ranges::copy(datagram_.first(piece - kUdpHeader), body.begin() + kUdpHeader);
  } else {
    std::ranges::copy(datagram_.subspan(offset_ - kUdpHeader, piece), body.begin());
  }
  offset_ += piece;
  return out.first(kIpv6Header + kFragmentHeader + piece);
}

}  // namespace ringway
