#include "dataplane/channel/packet_header.h"

#include <gtest/gtest.h>

#include <array>

namespace ringway {
namespace {

TEST(DataHeader, OfDataV2CarriesA24BitPeerId) {
  const std::array<std::uint8_t, 5> datagram = {0x4d, 0xfe, 0x01, 0x02, 0xaa};

  const auto header = parse_data_header(datagram);

  ASSERT_TRUE(header);
  EXPECT_EQ(header->opcode, Opcode::DataV2);
  EXPECT_EQ(header->key_id, KeyId{5});
  EXPECT_EQ(header->peer_id, PeerId{0xfe0102});
  EXPECT_EQ(header->size(), 4u);
}

TEST(DataHeader, OfDataV1IsOneByteAndNamesNoPeer) {
  const std::array<std::uint8_t, 1> datagram = {0x37};

  const auto header = parse_data_header(datagram);

  ASSERT_TRUE(header);
  EXPECT_EQ(header->opcode, Opcode::DataV1);
  EXPECT_EQ(header->key_id, KeyId{7});
  EXPECT_FALSE(header->peer_id.is_set());
  EXPECT_EQ(header->size(), 1u);
}

TEST(DataHeader, TakesAllOnesForNoPeerId) {
  const std::array<std::uint8_t, 4> datagram = {0x48, 0xff, 0xff, 0xff};

  EXPECT_FALSE(parse_data_header(datagram)->peer_id.is_set());
}

TEST(DataHeader, RefusesEveryTruncation) {
  const std::array<std::uint8_t, 4> datagram = {0x48, 0, 0, 1};
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    const auto header = parse_data_header(Bytes(datagram).first(size));
    ASSERT_FALSE(header) << size;
    EXPECT_EQ(header.error(), Drop::Truncated) << size;
  }
  EXPECT_TRUE(parse_data_header(datagram));
}

TEST(DataHeader, RefusesEveryOtherOpcode) {
  for (unsigned opcode = 0; opcode < 32; ++opcode) {
    const std::array<std::uint8_t, 4> datagram = {static_cast<std::uint8_t>(opcode << 3), 0, 0, 0};
    EXPECT_EQ(parse_data_header(datagram).has_value(), opcode == 6 || opcode == 9) << opcode;
  }
}

TEST(DataHeader, IsWrittenAsItIsRead) {
  for (const DataHeader header :
       {DataHeader{.opcode = Opcode::DataV2, .key_id = {3}, .peer_id = {0x010203}},
        DataHeader{.opcode = Opcode::DataV1, .key_id = {6}, .peer_id = {}}}) {
    std::array<std::uint8_t, 4> out{};

    write_data_header(header, out);

    const auto read = parse_data_header(out);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->opcode, header.opcode);
    EXPECT_EQ(read->key_id, header.key_id);
    EXPECT_EQ(read->peer_id, header.peer_id);
  }
}

}  // namespace
}  // namespace ringway
