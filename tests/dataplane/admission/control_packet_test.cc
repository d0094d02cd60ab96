#include "dataplane/admission/control_packet.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::encode;
using test::from_hex;
using test::load_vector;
using test::SeededRandom;
using test::session_id;
using test::to_hex;

constexpr const char* kCaptured[] = {
    "plain-handshake-0-c2s",    "plain-handshake-1-s2c",    "plain-handshake-2-c2s",
    "plain-handshake-3-c2s",    "plain-handshake-26-0-c2s", "plain-handshake-26-1-s2c",
    "plain-handshake-26-2-c2s",
};

std::vector<std::uint8_t> captured(std::string_view id) { return load_vector(id).bytes("packet"); }

Drop refusal(Bytes plain) {
  const auto packet = decode_control_packet(plain);
  return packet ? Drop::kCount : packet.error();
}

TEST(ControlPacket, ReadsTheClientsFirstReset) {
  const auto bytes = captured("plain-handshake-0-c2s");

  const auto packet = decode_control_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->opcode, Opcode::HardResetClientV2);
  EXPECT_EQ(packet->key_id.value, 0);
  EXPECT_EQ(packet->sender, session_id(0xe649705ca39e5e89));
  EXPECT_EQ(packet->ack_count, 0);
  EXPECT_EQ(packet->message_id.value, 0u);
  EXPECT_TRUE(packet->payload.empty());
}

TEST(ControlPacket, ReadsTheServersReset) {
  const auto bytes = captured("plain-handshake-1-s2c");

  const auto packet = decode_control_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->opcode, Opcode::HardResetServerV2);
  ASSERT_EQ(packet->ack_count, 1);
  EXPECT_EQ(packet->acks()[0].value, 0u);
  EXPECT_EQ(packet->receiver, session_id(0xe649705ca39e5e89));
}

TEST(ControlPacket, ReadsAnAcknowledgementThatHasNoMessageId) {
  const auto bytes = captured("plain-handshake-2-c2s");

  const auto packet = decode_control_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->opcode, Opcode::AckV1);
  EXPECT_FALSE(packet->has_message());
  EXPECT_EQ(packet->receiver, session_id(0x509043c8a049c786));
}

TEST(ControlPacket, ReadsTheClientHelloThatCarriesItsAcknowledgement) {
  const auto bytes = captured("plain-handshake-26-2-c2s");

  const auto packet = decode_control_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->opcode, Opcode::ControlV1);
  EXPECT_EQ(packet->message_id.value, 1u);
  EXPECT_EQ(packet->ack_count, 1);
  EXPECT_EQ(to_hex(packet->payload.first(3)), "160301");
}

TEST(ControlPacket, EncodesEveryCapturedPacketAsItWas) {
  for (const char* id : kCaptured) {
    const auto bytes = captured(id);
    const auto packet = decode_control_packet(bytes);
    ASSERT_TRUE(packet) << id;

    EXPECT_EQ(to_hex(encode(*packet)), to_hex(bytes)) << id;
  }
}

TEST(ControlPacket, ComesBackFromARoundTrip) {
  SeededRandom random(11);
  const std::vector<std::uint8_t> payload(ControlPacket::kPayloadSizeMax, 0x5a);
  for (const Opcode opcode : {Opcode::SoftResetV1, Opcode::ControlV1, Opcode::AckV1}) {
    for (std::uint8_t count = 0; count <= ControlPacket::kAcksMax; ++count) {
      ControlPacket packet{.opcode = opcode, .key_id = {5}, .sender = session_id(random.next())};
      packet.ack_count = count;
      for (std::size_t i = 0; i < count; ++i) {
        packet.ack_ids[i] = {static_cast<std::uint32_t>(random.next())};
      }
      packet.receiver = session_id(random.next());
      packet.message_id = {0xfffffffe};
      packet.payload = payload;

      const auto bytes = encode(packet);
      const auto decoded = decode_control_packet(bytes);

      ASSERT_TRUE(decoded);
      EXPECT_EQ(to_hex(encode(*decoded)), to_hex(bytes));
      EXPECT_EQ(decoded->key_id.value, 5);
      EXPECT_EQ(decoded->payload.size(), packet.has_message() ? payload.size() : 0u);
    }
  }
}

TEST(ControlPacket, RefusesEveryTruncationOfItsHeader) {
  for (const char* id : kCaptured) {
    const auto bytes = captured(id);
    const auto whole = decode_control_packet(bytes);
    ASSERT_TRUE(whole);

    for (std::size_t size = 0; size < bytes.size() - whole->payload.size(); ++size) {
      EXPECT_EQ(refusal(Bytes(bytes).first(size)), Drop::Truncated) << id << " cut to " << size;
    }
  }
}

TEST(ControlPacket, RefusesMoreThanEightAcknowledgements) {  // A12
  for (unsigned count = 9; count <= 255; ++count) {
    std::vector<std::uint8_t> bytes(9 + 1 + 4 * count + 8 + 4, 0x11);
    bytes[0] = first_byte(Opcode::ControlV1, {0});
    bytes[9] = static_cast<std::uint8_t>(count);

    EXPECT_EQ(refusal(bytes), Drop::BadAck) << count;
  }
}

TEST(ControlPacket, RefusesAPayloadAboveTheLimitWhateverItsSize) {  // A10
  std::vector<std::uint8_t> bytes = from_hex("20 1122334455667788 00 00000001");
  const std::size_t header_size = bytes.size();

  bytes.resize(header_size + ControlPacket::kPayloadSizeMax);
  EXPECT_TRUE(decode_control_packet(bytes));
  for (const std::size_t size : {header_size + ControlPacket::kPayloadSizeMax + 1,
                                 std::size_t{2049}, std::size_t{9000}, std::size_t{65535}}) {
    bytes.resize(size);
    EXPECT_EQ(refusal(bytes), Drop::Oversize) << size;
  }
}

TEST(ControlPacket, RefusesASenderOfZeros) {
  EXPECT_EQ(refusal(from_hex("38 0000000000000000 00 00000000")), Drop::ForeignSession);
}

TEST(ControlPacket, KnowsSevenOpcodesAndNoOther) {  // A16
  for (unsigned first = 0; first < 256; ++first) {
    auto bytes = from_hex("00 1122334455667788 00 00000000");
    bytes[0] = static_cast<std::uint8_t>(first);
    const unsigned opcode = first >> 3;
    const bool known = opcode == 3 || opcode == 4 || opcode == 5 || opcode == 7 || opcode == 8 ||
                       opcode == 10 || opcode == 11;

    EXPECT_EQ(refusal(bytes), known ? Drop::kCount : Drop::UnknownOpcode) << "opcode " << opcode;
  }
}

TEST(ControlPacket, SaysWhenTheBufferIsTooSmall) {
  const ControlPacket packet{.sender = session_id(7), .message_id = {1}};
  std::vector<std::uint8_t> buffer(encode(packet).size() - 1);
  ByteWriter writer(buffer);

  encode_control_packet(packet, writer);

  EXPECT_TRUE(writer.overflowed());
}

}  // namespace
}  // namespace ringway
