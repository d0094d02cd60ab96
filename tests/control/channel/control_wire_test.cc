#include "control/channel/control_wire.h"

#include <gtest/gtest.h>

#include <array>

#include "dataplane/admission/early_negotiation.h"
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
    const std::vector<std::uint8_t> payload(wires.server.payload_size_max(1250, KeyId{0}), 1);
    ControlPacket packet{.ack_count = ControlPacket::kPiggybackAcksMax, .payload = payload};
    EXPECT_EQ(seal(wires.server, packet).size() + 48, 1250u);
    EXPECT_GE(wires.server.payload_size_max(154, KeyId{0}), 64u);
    EXPECT_LE(wires.server.payload_size_max(9000, KeyId{0}), ControlPacket::kPayloadSizeMax);
  }
}

class ControlWireV2 : public ::testing::Test {
 protected:
  static constexpr std::size_t kKeySize = 299;

  /// The server's answer to the reset, with or without its wish for the key.
  std::vector<std::uint8_t> reset_reply(Bytes payload) {
    const ControlPacket reply{.opcode = Opcode::HardResetServerV2,
                              .sender = kServer,
                              .ack_count = 1,
                              .receiver = kClient,
                              .payload = payload};
    return test::wrapped(server_wrap_, reply, {1, 1000});
  }
  static ControlPacket message(std::uint32_t id) {
    return {.opcode = Opcode::ControlV1, .message_id = {id}};
  }

  TlsWrap client_wrap_ = TlsWrap::with_wrapped_key(test::captured_v2_client_key());
  TlsWrap server_wrap_ = TlsWrap::with_client_key(test::captured_v2_client_key().key);
  ControlWire client_{client_wrap_, kClient, std::nullopt, ReplayCounter(0x0f000001, 1000)};
  ControlWire server_{server_wrap_, kServer, kClient, ReplayCounter(2, 1000)};
  std::array<std::uint8_t, ControlWire::kDatagramSizeMax> scratch_{};
};

TEST_F(ControlWireV2, ShowsTheKeyWithTheReset) {
  const auto datagram = seal(client_, {.opcode = Opcode::HardResetClientV2});
  EXPECT_EQ(opcode_of(datagram[0]), Opcode::HardResetClientV3);
  const auto cut = cut_wrapped_key(datagram);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->wrapped.size(), kKeySize);
  const auto opened = server_.open(datagram, scratch_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->opcode, Opcode::HardResetClientV2);
}

TEST_F(ControlWireV2, ShowsTheKeyAgainWhereTheServerAsksForIt) {
  ASSERT_TRUE(client_.open(reset_reply(kResendWrappedKey), scratch_));
  const auto first = seal(client_, message(1));
  EXPECT_EQ(opcode_of(first[0]), Opcode::ControlWkcV1);
  EXPECT_EQ(server_.open(first, scratch_)->opcode, Opcode::ControlV1);
  EXPECT_EQ(opcode_of(seal(client_, message(2))[0]), Opcode::ControlV1);
  EXPECT_EQ(opcode_of(seal(client_, {.opcode = Opcode::AckV1})[0]), Opcode::AckV1);
  EXPECT_EQ(opcode_of(seal(client_, message(1))[0]), Opcode::ControlWkcV1);
}

TEST_F(ControlWireV2, ShowsItOnceToAServerThatRemembersIt) {
  ASSERT_TRUE(client_.open(reset_reply({}), scratch_));
  EXPECT_EQ(opcode_of(seal(client_, message(1))[0]), Opcode::ControlV1);
}

TEST_F(ControlWireV2, CutsAKeyOffWithoutLookingIntoIt) {  // A08
  auto datagram = seal(client_, {.opcode = Opcode::HardResetClientV2});
  for (std::size_t i = datagram.size() - kKeySize; i < datagram.size() - 2; ++i)
    datagram[i] ^= 0xff;
  EXPECT_TRUE(server_.open(datagram, scratch_));
}

TEST_F(ControlWireV2, RefusesAKeyThatLeavesNoPacketInFront) {  // A08
  const auto datagram = seal(client_, {.opcode = Opcode::HardResetClientV2});
  for (unsigned length = 0; length <= 0xffff; ++length) {
    if (length == kKeySize) continue;
    auto altered = datagram;
    store_be16(altered.data() + altered.size() - 2, static_cast<std::uint16_t>(length));
    EXPECT_FALSE(server_.open(altered, scratch_)) << length;
  }
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    EXPECT_FALSE(server_.open(Bytes(datagram).first(size), scratch_)) << size;
  }
}

TEST_F(ControlWireV2, TakesNoKeysInASessionThatBeganWithoutOne) {  // A08
  const auto datagram = seal(client_, {.opcode = Opcode::HardResetClientV2});
  for (const test::WrapPair& wraps : test::all_wraps()) {
    Wires wires(wraps);
    const auto opened = wires.server.open(datagram, scratch_);
    ASSERT_FALSE(opened) << wraps.name;
    EXPECT_EQ(opened.error(), Drop::UnknownOpcode) << wraps.name;
  }
}

TEST_F(ControlWireV2, LeavesRoomForTheKey) {
  EXPECT_EQ(client_.payload_size_max(1250, KeyId{0}) + kKeySize,
            server_.payload_size_max(1250, KeyId{0}));
}

TEST(ControlWire, ProtectsRenegotiationsByTheirOwnKey) {
  const auto vector = test::load_vector("dyn-tls-crypt-soft-reset-s2c");
  const auto key = StaticKey::from_bytes(vector.bytes("xored_key_256"));
  for (const test::WrapPair& wraps : test::all_wraps()) {
    SCOPED_TRACE(wraps.name);
    Wires wires(wraps);
    ASSERT_TRUE(wires.client.open(wires.reset_reply(wraps.server), wires.scratch).has_value());
    wires.server.protect_renegotiations(key, Side::Server, 2000);
    const auto renegotiation = seal(wires.server, {.key_id = {1}, .message_id = {1}});
    if (wraps.server.is_protected()) {
      EXPECT_FALSE(wires.client.open(renegotiation, wires.scratch));
    }

    wires.client.protect_renegotiations(key, Side::Client, 2000);

    EXPECT_TRUE(wires.client.open(renegotiation, wires.scratch));
    EXPECT_EQ(wires.client.open(renegotiation, wires.scratch).error(), Drop::ControlReplay);
    const auto first = seal(wires.server, {.key_id = {0}, .message_id = {1}});
    EXPECT_TRUE(wires.client.open(first, wires.scratch));
    const TlsWrap alone(TlsCrypt(key, Side::Client));
    EXPECT_FALSE(alone.unwrap(first, wires.scratch));
  }
}

TEST(ControlWire, WrapsARenegotiationAsOpenVpnDoes) {
  const auto vector = test::load_vector("dyn-tls-crypt-soft-reset-s2c");
  const TlsWrap client(
      TlsCrypt(StaticKey::from_bytes(vector.bytes("xored_key_256")), Side::Client));
  std::array<std::uint8_t, ControlWire::kDatagramSizeMax> scratch{};
  const auto unwrapped = client.unwrap(vector.bytes("packet"), scratch);
  ASSERT_TRUE(unwrapped);
  EXPECT_EQ(test::to_hex(unwrapped->plain.subspan(9)), vector.text("plaintext"));
  EXPECT_EQ(unwrapped->stamp.id, 1u);
}

}  // namespace
}  // namespace ringway
