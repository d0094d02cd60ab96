#include "dataplane/link_steering.h"

#include <gtest/gtest.h>

#include "base/opcode.h"
#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

using test::ip;
using test::LinkClient;
using test::receive_on;

std::vector<std::uint8_t> data_packet(std::uint32_t peer_id) {
  std::vector<std::uint8_t> packet(60);
  store_be32(packet.data(), peer_id);
  packet[0] = first_byte(Opcode::DataV2, {static_cast<std::uint8_t>(peer_id % 8)});
  return packet;
}

class LinkSteeringTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }
};

TEST_F(LinkSteeringTest, DeliversDataPacketsByPeerIdWhereverTheyComeFrom) {
  for (const std::uint16_t workers : {std::uint16_t{2}, std::uint16_t{3}}) {
    const auto group = open_udp_sockets({.port = 0}, workers);
    ASSERT_TRUE(group);
    ASSERT_TRUE(group->steered);
    const std::uint16_t port = group->sockets[0].local().port;

    for (std::uint32_t peer = 0; peer < 64; ++peer) {
      const LinkClient client({ip(peer % 3 == 0 ? "127.0.0.1" : "::1"), port});
      // The upper bits of the id count as well.
      const std::uint32_t peer_id = peer * 0x10001 & 0xff'ffff;
      client.send(data_packet(peer_id));
      const auto received = receive_on(group->sockets[peer_id % workers]);
      ASSERT_TRUE(received) << "peer id " << peer_id << " of " << workers << " workers";
      EXPECT_EQ(received->datagram, data_packet(peer_id));
    }
  }
}

TEST_F(LinkSteeringTest, SpreadsEverythingElseOverAllWorkers) {
  const auto group = open_udp_sockets({.port = 0}, 2);
  ASSERT_TRUE(group);
  const std::uint16_t port = group->sockets[0].local().port;
  // A reset, DATA_V1, and datagrams that are too short to carry a peer id.
  const std::vector<std::vector<std::uint8_t>> others = {
      std::vector<std::uint8_t>(14, first_byte(Opcode::HardResetClientV2, {0})),
      std::vector<std::uint8_t>(60, first_byte(Opcode::DataV1, {0})),
      {first_byte(Opcode::DataV2, {0}), 0, 0},
      {}};

  for (const auto& datagram : others) {
    std::array<int, 2> arrived{};
    for (int i = 0; i < 64; ++i) {
      const LinkClient client({ip("::1"), port});
      client.send(datagram);
      for (std::size_t worker = 0; worker < 2; ++worker) {
        while (receive_on(group->sockets[worker], 0)) ++arrived[worker];
      }
    }
    EXPECT_EQ(arrived[0] + arrived[1], 64);
    EXPECT_GT(arrived[0], 0);
    EXPECT_GT(arrived[1], 0);
  }
}

TEST_F(LinkSteeringTest, RefusesWhatIsNoSocket) { EXPECT_FALSE(attach_link_steering(-1, 2)); }

}  // namespace
}  // namespace ringway
