#include "dataplane/outer_fragments.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "tun/checksum.h"

namespace ringway {
namespace {

using Packet = std::vector<std::uint8_t>;

const OuterFragments::Header kHeader{
    .from = {.address = *IpAddress::parse("2001:db8::1"), .port = 1194},
    .to = {.address = *IpAddress::parse("2001:db8:5::2"), .port = 40'000},
    .identification = 0x12345678};

Packet counting(std::size_t size) {
  Packet bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

std::vector<Packet> fragments_of(Bytes datagram) {
  std::vector<Packet> packets;
  OuterFragments fragments(kHeader, datagram);
  while (!fragments.is_done()) {
    Packet room(OuterFragments::kSizeMax, 0xee);
    const MutableBytes packet = fragments.write_next(room);
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

TEST(OuterFragments, FitEveryPathAndMakeTheDatagram) {
  // 1,304 is what a packet of IPv6's smallest MTU becomes.
  for (const std::size_t size : {1225u, 1304u, 2456u, 2457u, 9000u}) {
    const Packet datagram = counting(size);
    Packet whole;
    const std::vector<Packet> packets = fragments_of(datagram);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const Packet& packet = packets[i];
      EXPECT_LE(packet.size(), 1280u);
      EXPECT_EQ(packet[0], 0x60);
      EXPECT_EQ(load_be16(packet.data() + 4), packet.size() - 40);
      EXPECT_EQ(packet[6], 44);
      EXPECT_EQ(packet[40], 17);
      EXPECT_EQ(load_be16(packet.data() + 42) & ~7u, whole.size());
      EXPECT_EQ(load_be16(packet.data() + 42) & 1u, i + 1 < packets.size() ? 1u : 0u);
      EXPECT_EQ(load_be32(packet.data() + 44), 0x12345678u);
      whole.insert(whole.end(), packet.begin() + 48, packet.end());
    }

    EXPECT_EQ(packets.size(), (size + 8 + 1231) / 1232) << size;
    EXPECT_EQ(Packet(whole.begin() + 8, whole.end()), datagram);
    EXPECT_EQ(load_be16(whole.data()), 1194);
    EXPECT_EQ(load_be16(whole.data() + 2), 40'000);
    EXPECT_EQ(load_be16(whole.data() + 4), whole.size());
    ChecksumSum sum = sum_of({.addresses = Bytes(packets[0]).subspan(8, 32),
                              .protocol = 17,
                              .length = static_cast<std::uint32_t>(whole.size())});
    sum.add(whole);
    EXPECT_TRUE(sum.verifies());
  }
}

TEST(OuterFragments, OfASmallDatagramAreOne) {
  EXPECT_EQ(fragments_of(counting(1224)).size(), 1u);
  EXPECT_EQ(fragments_of({}).size(), 1u);
}

TEST(OuterFragments, NeverHaveTheChecksumThatMeansNone) {
  // The two bytes that bring the sum to zero, found by trying.
  Packet datagram(2);
  unsigned found = 0;
  for (unsigned word = 0; word <= 0xffff; ++word) {
    store_be16(datagram.data(), static_cast<std::uint16_t>(word));
    const Packet packet = fragments_of(datagram).front();
    const std::uint16_t checksum = load_be16(packet.data() + 48 + 6);
    ASSERT_NE(checksum, 0);
    found += checksum == 0xffff ? 1 : 0;
  }
  EXPECT_GT(found, 0u);
}

}  // namespace
}  // namespace ringway
