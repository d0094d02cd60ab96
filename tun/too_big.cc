#include "tun/too_big.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "tun/checksum.h"

namespace ringway {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpV6 = 58;
constexpr std::size_t kIcmpHeaderSize = 8;
/// RFC 1812 4.3.2.3.
constexpr std::size_t kIcmpV4SizeMax = 576;
constexpr std::uint8_t kHopLimit = 64;
/// Precedence 6, internetwork control: RFC 1812 4.3.2.5.
constexpr std::uint8_t kErrorTypeOfService = 0xc0;

constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kFragmentationNeeded = 4;
constexpr std::uint8_t kPacketTooBig = 2;

/// The types that are questions or answers to them, and no errors; what is not known may be an
/// error.
bool is_icmp_query(std::uint8_t type) {
  switch (type) {
    case 0:  // Echo reply.
    case 8:  // Echo.
    case 9:  // Router advertisement and solicitation (RFC 1256).
    case 10:
    case 13:  // Timestamp, information and address mask, with their replies.
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
    case 42:  // Extended echo (RFC 8335).
    case 43: return true;
    default: return false;
  }
}

/// RFC 4443 2.1: errors have types below 128. A redirect is as bad (2.4 e.2).
bool is_icmp_v6_query(std::uint8_t type) { return type >= 128 && type != 137; }

/// A chain of extension headers that was too long to be walked may end in anything.
bool is_hidden(const IpPacket& ip) {
  constexpr std::array<std::uint8_t, 8> kExtensions = {0, 43, 44, 51, 60, 135, 139, 140};
  return !ip.is_v4() && std::ranges::find(kExtensions, ip.protocol) != kExtensions.end();
}

bool is_icmp_error(const IpPacket& ip) {
  if (is_hidden(ip)) return true;
  if (ip.protocol != (ip.is_v4() ? kIcmp : kIcmpV6)) return false;
  const Bytes message = ip.payload();
  if (message.empty()) return true;
  return !(ip.is_v4() ? is_icmp_query(message[0]) : is_icmp_v6_query(message[0]));
}

/// One host that an answer could be routed to. IPv4: not 0/8, 127/8, 169.254/16, 224/3. IPv6: not
/// ::/96, fe80::/10, ff00::/8.
bool is_single_host(Bytes address) {
  if (address.size() == 4) {
    if (address[0] == 0 || address[0] == 127 || address[0] >= 224) return false;
    return !(address[0] == 169 && address[1] == 254);
  }
  if (address[0] == 0xff) return false;
  if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) return false;
  return std::ranges::any_of(address.first(12), [](std::uint8_t byte) { return byte != 0; });
}

MutableBytes write_v4(MutableBytes out, const IpPacket& about, const TooBig& answer) {
  const Bytes quote = about.bytes.first(
      std::min(about.bytes.size(), kIcmpV4SizeMax - kIpv4HeaderMin - kIcmpHeaderSize));
  const MutableBytes packet = out.first(kIpv4HeaderMin + kIcmpHeaderSize + quote.size());
  std::ranges::fill(packet.first(kIpv4HeaderMin + kIcmpHeaderSize), std::uint8_t{0});
  std::uint8_t* ip = packet.data();
  ip[0] = 0x45;
  ip[1] = kErrorTypeOfService;
  store_be16(ip + 2, static_cast<std::uint16_t>(packet.size()));
  // No Don't Fragment: nobody answers an error, so it must get through. An identification that
  // differs between answers is at hand in what they quote.
  std::memcpy(ip + 4, about.bytes.data() + 4, 2);
  ip[8] = kHopLimit;
  ip[9] = kIcmp;
  std::ranges::copy(answer.from.wire(), ip + 12);
  std::ranges::copy(about.source_bytes(), ip + 16);
  store_be16(ip + 10, checksum_of(packet.first(kIpv4HeaderMin)));

  const MutableBytes message = packet.subspan(kIpv4HeaderMin);
  message[0] = kUnreachable;
  message[1] = kFragmentationNeeded;
  store_be16(message.data() + 6,
             static_cast<std::uint16_t>(std::min(answer.mtu, std::size_t{0xffff})));
  std::ranges::copy(quote, message.begin() + kIcmpHeaderSize);
  store_be16(message.data() + 2, checksum_of(message));
  return packet;
}

MutableBytes write_v6(MutableBytes out, const IpPacket& about, const TooBig& answer) {
  const Bytes quote = about.bytes.first(
      std::min(about.bytes.size(), kTooBigSizeMax - kIpv6HeaderSize - kIcmpHeaderSize));
  const MutableBytes packet = out.first(kIpv6HeaderSize + kIcmpHeaderSize + quote.size());
  std::ranges::fill(packet.first(kIpv6HeaderSize + kIcmpHeaderSize), std::uint8_t{0});
  const MutableBytes message = packet.subspan(kIpv6HeaderSize);
  std::uint8_t* ip = packet.data();
  ip[0] = 0x60;
  store_be16(ip + 4, static_cast<std::uint16_t>(message.size()));
  ip[6] = kIcmpV6;
  ip[7] = kHopLimit;
  std::ranges::copy(answer.from.wire(), ip + 8);
  std::ranges::copy(about.source_bytes(), ip + 24);

  message[0] = kPacketTooBig;
  store_be32(message.data() + 4, static_cast<std::uint32_t>(answer.mtu));
  std::ranges::copy(quote, message.begin() + kIcmpHeaderSize);
  ChecksumSum sum = sum_of({.addresses = packet.subspan(8, 32),
                            .protocol = kIcmpV6,
                            .length = static_cast<std::uint32_t>(message.size())});
  sum.add(message);
  store_be16(message.data() + 2, sum.checksum());
  return packet;
}

}  // namespace

bool may_be_told_too_big(const IpPacket& ip) {
  return !ip.is_later_fragment && !is_icmp_error(ip) && is_single_host(ip.source_bytes()) &&
         is_single_host(ip.destination_bytes());
}

MutableBytes write_too_big(MutableBytes out, const IpPacket& about, const TooBig& answer) {
  RW_ASSERT(out.size() >= kTooBigSizeMax);
  RW_ASSERT(answer.from.is_v4() == about.is_v4());
  RW_ASSERT(answer.mtu >= (about.is_v4() ? kIpv4MtuMin : kIpv6MtuMin));
  return about.is_v4() ? write_v4(out, about, answer) : write_v6(out, about, answer);
}

}  // namespace ringway
