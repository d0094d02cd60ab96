#include "tun/checksum.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/support/seeded_random.h"
#include "tests/tun/packets.h"

namespace ringway {
namespace {

using test::Packet;

TEST(ChecksumSum, GivesTheSumOfTheExampleInRfc1071) {
  const Packet bytes = test::from_hex("0001f203f4f5f6f7");  // RFC 1071, section 3.
  ChecksumSum sum;

  sum.add(bytes);

  EXPECT_EQ(sum.folded(), 0xddf2);
  EXPECT_EQ(sum.checksum(), 0x220d);
}

TEST(ChecksumSum, VerifiesARealIpv4Header) {
  const Packet header = test::from_hex("45000073000040004011b861c0a80001c0a800c7");
  ChecksumSum sum;

  sum.add(header);

  EXPECT_TRUE(sum.verifies());
  EXPECT_EQ(checksum_of(header), 0);
}

TEST(ChecksumSum, AgreesWithTheTextOfTheRfcAtEverySizeAndPlace) {
  constexpr std::uint64_t kSeed = 1;
  test::SeededRandom random(kSeed);
  Packet bytes(2048);
  random.fill(bytes);
  for (std::size_t size = 0; size < 300; ++size) {
    for (std::size_t at = 0; at < 9; ++at) {
      const Bytes part = Bytes(bytes).subspan(at, size);
      ASSERT_EQ(checksum_of(part), test::reference_checksum(part)) << size << " at " << at;
    }
  }
  EXPECT_EQ(checksum_of(bytes), test::reference_checksum(bytes));
}

TEST(ChecksumSum, CarriesWhereEveryBitIsSet) {
  const Packet ones(65535, 0xff);
  EXPECT_EQ(checksum_of(ones), test::reference_checksum(ones));
  EXPECT_EQ(checksum_of(Bytes(ones).first(65534)), 0);
  const Packet zeros(64);
  EXPECT_EQ(checksum_of(zeros), 0xffff);
}

TEST(ChecksumSum, IsTheSameInPieces) {
  const Packet bytes = test::counting_bytes(1001);
  ChecksumSum sum;
  ChecksumSum tail;

  sum.add(Bytes(bytes).first(20));
  sum.add_field(load_be32(bytes.data() + 20));
  sum.add_word(load_be16(bytes.data() + 24));
  tail.add(Bytes(bytes).subspan(26));
  sum.add(tail);

  EXPECT_EQ(sum.checksum(), test::reference_checksum(bytes));
}

TEST(PseudoHeader, SumsBothFamilies) {
  for (const bool v4 : {true, false}) {
    const Packet packet = test::udp_packet(v4, test::counting_bytes(33));
    const auto ip = parse_ip_packet(packet);
    ASSERT_TRUE(ip);
    const Bytes segment = ip->payload();

    ChecksumSum sum = sum_of({.addresses = v4 ? ip->bytes.subspan(12, 8) : ip->bytes.subspan(8, 32),
                              .protocol = ip->protocol,
                              .length = static_cast<std::uint32_t>(segment.size())});
    sum.add(segment);

    EXPECT_TRUE(sum.verifies());
  }
}

TEST(UpdatedChecksum, GivesTheExampleOfRfc1624) {
  // RFC 1624, section 4: the method of RFC 1141 gives 0xffff here.
  EXPECT_EQ(updated_checksum(0xdd2f, {.from = 0x5555, .to = 0x3285}), 0x0000);
}

TEST(UpdatedChecksum, AgreesWithACompleteSum) {
  constexpr std::uint64_t kSeed = 3;
  test::SeededRandom random(kSeed);
  Packet bytes(40);
  for (int round = 0; round < 5000; ++round) {
    random.fill(bytes);
    const std::uint16_t before = test::reference_checksum(bytes);
    const std::size_t at = random.next() % 20 * 2;
    const WordChange change{.from = load_be16(bytes.data() + at),
                            .to = static_cast<std::uint16_t>(random.next())};
    store_be16(bytes.data() + at, change.to);
    ASSERT_EQ(updated_checksum(before, change), test::reference_checksum(bytes))
        << "seed " << kSeed << ", round " << round;
  }
}

}  // namespace
}  // namespace ringway
