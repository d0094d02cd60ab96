#include "dataplane/packet_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

constexpr std::size_t kSmall = 4096;

PacketOrigin origin_of(std::uint16_t port) {
  return {.kind = PacketKind::ControlDatagram,
          .worker = {3},
          .endpoint = {.remote = {*IpAddress::parse("2001:db8::7"), port, 4},
                       .local = *IpAddress::parse("192.0.2.1"),
                       .listener = 2}};
}

std::vector<std::uint8_t> packet(std::size_t size, std::uint64_t seed) {
  std::vector<std::uint8_t> bytes(size);
  test::SeededRandom(seed).fill(bytes);
  return bytes;
}

TEST(PacketRing, KeepsBytesAndOrigin) {
  PacketRing ring(kSmall);
  const auto sent = packet(1400, 1);

  ASSERT_TRUE(ring.push(origin_of(1194), sent));
  ASSERT_TRUE(ring.observe());
  const auto record = ring.front();

  ASSERT_TRUE(record.has_value());
  EXPECT_TRUE(std::ranges::equal(record->bytes, sent));
  EXPECT_EQ(record->origin.kind, PacketKind::ControlDatagram);
  EXPECT_EQ(record->origin.worker, WorkerId{3});
  EXPECT_EQ(record->origin.endpoint, origin_of(1194).endpoint);
}

TEST(PacketRing, TakesEmptyPackets) {
  PacketRing ring(kSmall);
  ASSERT_TRUE(ring.push(origin_of(1), {}));
  ring.observe();

  ASSERT_TRUE(ring.front().has_value());
  EXPECT_EQ(ring.front()->bytes.size(), 0u);
  ring.pop();
  EXPECT_FALSE(ring.front().has_value());
}

TEST(PacketRing, ShowsOnlyWhatWasThereWhenItWasObserved) {
  PacketRing ring(kSmall);
  ASSERT_TRUE(ring.push(origin_of(1), packet(10, 1)));
  ring.observe();
  ASSERT_TRUE(ring.push(origin_of(2), packet(10, 2)));

  ASSERT_TRUE(ring.front().has_value());
  ring.pop();
  EXPECT_FALSE(ring.front().has_value());

  EXPECT_TRUE(ring.observe());
  EXPECT_TRUE(ring.front().has_value());
}

TEST(PacketRing, RefusesWhenFullAndTakesAgainAfterAPop) {
  PacketRing ring(kSmall);
  int taken = 0;
  while (ring.push(origin_of(1), packet(500, 1))) ++taken;

  EXPECT_EQ(taken, 7);  // 568 bytes each.
  ring.observe();
  ASSERT_TRUE(ring.front().has_value());
  ring.pop();
  EXPECT_TRUE(ring.push(origin_of(1), packet(400, 1)));
}

TEST(PacketRing, RefusesAPacketLargerThanHalfOfIt) {
  PacketRing ring(kSmall);

  EXPECT_FALSE(ring.push(origin_of(1), packet(2048, 1)));
  EXPECT_TRUE(ring.push(origin_of(1), packet(2048 - PacketRing::kRecordOverhead, 1)));
}

TEST(PacketRing, AnyHalfSizedPacketFitsIntoAnEmptyRingWhereverItStands) {
  for (std::size_t offset = 0; offset < kSmall / 8; ++offset) {
    PacketRing ring(kSmall);
    for (std::size_t i = 0; i < offset; ++i) {
      ASSERT_TRUE(ring.push(origin_of(1), packet(8, 1)));
      ring.observe();
      ASSERT_TRUE(ring.front().has_value());
      ring.pop();
    }
    const auto large = packet(2048 - PacketRing::kRecordOverhead, offset);

    ASSERT_TRUE(ring.push(origin_of(1), large)) << offset;
    ring.observe();
    const auto record = ring.front();
    ASSERT_TRUE(record.has_value());
    EXPECT_TRUE(std::ranges::equal(record->bytes, large));
    ring.pop();
  }
}

TEST(PacketRing, LosesNothingBetweenTwoThreads) {
  constexpr std::uint16_t kCount = 20'000;
  PacketRing ring(1 << 14);

  std::thread producer([&ring] {
    for (std::uint16_t i = 0; i < kCount; ++i) {
      const auto bytes = packet(i % 1500, i);
      while (!ring.push(origin_of(i), bytes)) std::this_thread::yield();
    }
  });
  std::uint16_t expected = 0;
  bool right = true;
  while (expected < kCount) {
    if (!ring.observe()) std::this_thread::yield();
    while (const auto record = ring.front()) {
      right = right && record->origin.endpoint.remote.port == expected;
      right = right && std::ranges::equal(record->bytes, packet(expected % 1500, expected));
      ring.pop();
      ++expected;
    }
  }
  producer.join();

  EXPECT_TRUE(right);
}

}  // namespace
}  // namespace ringway
