#include "control/channel/control_wire.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/dataplane/admission/admission_fixture.h"

namespace ringway {
namespace {

using test::session_id;

const SessionId kServer = session_id(0x5e4e5e4e5e4e5e4e);
const SessionId kClient = session_id(0xc11ec11ec11ec11e);
const SessionId kOther = session_id(0x0bad0bad0bad0bad);

struct Wires {
  explicit Wires(const test::WrapPair& wraps)
      : server(wraps.server, kServer, kClient, ReplayCounter(2, 1000)),
        client(wraps.client, kClient, std::nullopt, ReplayCounter(1, 1000)) {}

  std::vector<std::uint8_t> reset_reply(const TlsWrap& wrap, SessionId sender = kServer,
                                        SessionId receiver = kClient) {
    ControlPacket reply;
    reply.opcode = Opcode::HardResetServerV2;
    reply.sender = sender;
    reply.ack_count = 1;
    reply.receiver = receiver;
    return test::wrapped(wrap, reply, {1, 1000});
  }

  ControlWire server;
  ControlWire client;
  std::array<std::uint8_t, ControlWire::kDatagramSizeMax> scratch{};
};

std::vector<std::uint8_t> seal(ControlWire& wire, ControlPacket packet) {
  std::array<std::uint8_t, ControlWire::kDatagramSizeMax> out{};
  const Bytes datagram = wire.seal(packet, out);
  return {datagram.begin(), datagram.end()};
}

TEST(ControlWire, CarriesPacketsBetweenTwoEnds) {
  for (const test::WrapPair& wraps : test::all_wraps()) {
    SCOPED_TRACE(wraps.name);
    Wires wires(wraps);
    ASSERT_TRUE(wires.client.open(wires.reset_reply(wraps.server), wires.scratch).has_value());
    EXPECT_EQ(wires.client.remote(), kServer);

    const std::uint8_t payload[] = {1, 2, 3};
    ControlPacket packet{.key_id = {5}, .ack_count = 1, .message_id = {9}, .payload = payload};
    const auto opened = wires.server.open(seal(wires.client, packet), wires.scratch);

    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->sender, kClient);
    EXPECT_EQ(opened->receiver, kServer);
    EXPECT_EQ(opened->key_id, KeyId{5});
    EXPECT_EQ(opened->message_id, MessageId{9});
    EXPECT_EQ(opened->payload.size(), 3u);
  }
}

TEST(ControlWire, SealsTheSamePacketDifferentlyEachTime) {
  for (const test::WrapPair& wraps : test::all_wraps()) {
    if (!wraps.server.is_protected()) continue;
    Wires wires(wraps);
    EXPECT_NE(seal(wires.server, {}), seal(wires.server, {})) << wraps.name;
  }
}

TEST(ControlWire, RefusesAReplayedDatagramWhereItIsProtected) {
  for (const test::WrapPair& wraps : test::all_wraps()) {
    SCOPED_TRACE(wraps.name);
    Wires wires(wraps);
    (void)wires.client.open(wires.reset_reply(wraps.server), wires.scratch);
    const auto datagram = seal(wires.client, {});
    ASSERT_TRUE(wires.server.open(datagram, wires.scratch).has_value());
    const auto again = wires.server.open(datagram, wires.scratch);
    if (wraps.server.is_protected()) {
      EXPECT_EQ(again.error(), Drop::ControlReplay);
    } else {
      EXPECT_TRUE(again.has_value());
    }
  }
}

TEST(ControlWire, RefusesOtherSessionsWithoutMovingTheReplayWindow) {
  for (const test::WrapPair& wraps : test::all_wraps()) {
    SCOPED_TRACE(wraps.name);
    Wires wires(wraps);
    ControlPacket packet{.sender = kOther};
    EXPECT_EQ(
        wires.server.open(test::wrapped(wraps.client, packet, {1, 9999}), wires.scratch).error(),
        Drop::ForeignSession);
    packet = {.sender = kClient, .ack_count = 1, .receiver = kOther};
    EXPECT_EQ(
        wires.server.open(test::wrapped(wraps.client, packet, {2, 9999}), wires.scratch).error(),
        Drop::ForeignSession);
    // A stamp of the far future would have shut out what comes next.
    packet = {.sender = kClient};
    EXPECT_TRUE(wires.server.open(test::wrapped(wraps.client, packet, {1, 1000}), wires.scratch)
                    .has_value());
  }
}

TEST(ControlWire, TakesAsServerOnlyWhoAcknowledgesOurReset) {
  const test::WrapPair wraps{"none", {}, {}};
  Wires wires(wraps);
  ControlPacket reply{.opcode = Opcode::HardResetServerV2, .sender = kServer};
  EXPECT_EQ(wires.client.open(test::encode(reply), wires.scratch).error(), Drop::BadReset);
  EXPECT_EQ(wires.client.open(wires.reset_reply({}, kServer, kOther), wires.scratch).error(),
            Drop::ForeignSession);
  reply = {.sender = kServer, .ack_count = 1, .receiver = kClient};
  EXPECT_EQ(wires.client.open(test::encode(reply), wires.scratch).error(), Drop::BadReset);
  EXPECT_TRUE(wires.client.remote().is_zero());

  EXPECT_TRUE(wires.client.open(wires.reset_reply({}), wires.scratch).has_value());
  EXPECT_EQ(wires.client.open(wires.reset_reply({}, kOther), wires.scratch).error(),
            Drop::ForeignSession);
}

TEST(ControlWire, RefusesWhatIsTooLarge) {
  Wires wires({"none", {}, {}});
  const std::vector<std::uint8_t> huge(65'535, 0x20);
  EXPECT_EQ(wires.server.open(huge, wires.scratch).error(), Drop::Oversize);
}

TEST(ControlWire, KeepsFullPacketsWithinTheirLimit) {
  for (const test::WrapPair& wraps : test::all_wraps()) {
    SCOPED_TRACE(wraps.name);
    Wires wires(wraps);
    const std::vector<std::uint8_t> payload(wires.server.payload_size_max(1250), 1);
    ControlPacket packet{.ack_count = ControlPacket::kPiggybackAcksMax, .payload = payload};
    EXPECT_EQ(seal(wires.server, packet).size() + 48, 1250u);
    EXPECT_GE(wires.server.payload_size_max(154), 64u);
    EXPECT_LE(wires.server.payload_size_max(9000), ControlPacket::kPayloadSizeMax);
  }
}

}  // namespace
}  // namespace ringway
