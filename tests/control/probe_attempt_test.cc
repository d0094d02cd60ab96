#include "control/probe_attempt.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/cursor.h"
#include "control/tls_setup.h"
#include "dataplane/admission/control_packet.h"

namespace ringway {
namespace {

const Endpoint kServer{.address = *IpAddress::parse("192.0.2.1"), .port = 1194};
const Endpoint kOther{.address = *IpAddress::parse("192.0.2.2"), .port = 1194};

/// 1, 2, 3, ...
class Counting final : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = ++last_;
  }

 private:
  std::uint8_t last_ = 0;
};

Now at(Duration since_start) { return {Instant{since_start}, UnixTime{1'700'000'000}}; }

/// A static key file of 256 bytes, all alike but for the last digit of each line.
std::string static_key() {
  std::string text = "-----BEGIN OpenVPN Static key V1-----\n";
  for (int line = 0; line < 16; ++line) {
    text += "0123456789abcdef0123456789abcde" + std::string(1, "0123456789abcdef"[line]) + "\n";
  }
  return text + "-----END OpenVPN Static key V1-----\n";
}

TlsWrap wrap(Side side, WrapMode mode) {
  WrapConfig config{.mode = mode};
  config.key.text = static_key();
  config.key.is_inline = true;
  if (mode == WrapMode::TlsAuth) config.direction = side == Side::Client ? 1 : 0;
  auto made = make_tls_wrap(side, config);
  EXPECT_TRUE(made);
  return std::move(*made);
}

/// An attempt that has sent its first packet, and the server's end.
struct Probed {
  explicit Probed(WrapMode mode = WrapMode::None, ProbeTransport transport = ProbeTransport::Udp)
      : client(wrap(Side::Client, mode)),
        server(wrap(Side::Server, mode)),
        attempt({.target = kServer, .transport = transport}, client, random, at(0s)) {
    EXPECT_TRUE(transmit(0s));
  }

  std::optional<std::vector<std::uint8_t>> transmit(Duration when) {
    std::array<std::uint8_t, ProbeAttempt::kDatagramSizeMax> scratch;
    const auto packet = attempt.poll_transmit(scratch, at(when));
    if (!packet) return std::nullopt;
    return std::vector<std::uint8_t>(packet->begin(), packet->end());
  }
  /// The server's reset, wrapped, for whoever drew `session`.
  [[nodiscard]] std::vector<std::uint8_t> answer(const SessionId& session,
                                                 const TlsWrap& by) const {
    ControlPacket reset{.opcode = Opcode::HardResetServerV2, .sender = {{9, 9}}, .ack_count = 1};
    reset.receiver = session;
    std::array<std::uint8_t, 128> plain;
    ByteWriter writer(plain);
    encode_control_packet(reset, writer);
    std::array<std::uint8_t, 256> out;
    const Bytes wrapped = by.wrap(writer.written(), {.id = 1, .time = 1'700'000'000}, out);
    return {wrapped.begin(), wrapped.end()};
  }
  void handle_answer(const Endpoint& source, Duration when) {
    attempt.handle_datagram(answer(attempt.session_id(), server), source, at(when).instant);
  }
  [[nodiscard]] ProbeVerdict verdict() const { return attempt.outcome().verdict; }

  Counting random;
  TlsWrap client;
  TlsWrap server;
  ProbeAttempt attempt;
};

TEST(ProbeAttempt, TakesTheServersResetForAnAnswerWhateverWrapsIt) {
  for (const WrapMode mode : {WrapMode::None, WrapMode::TlsAuth, WrapMode::TlsCrypt}) {
    Probed probed(mode);
    probed.handle_answer(kServer, 40ms);
    ASSERT_TRUE(probed.attempt.is_done());
    EXPECT_EQ(probed.verdict(), ProbeVerdict::Reachable);
    EXPECT_EQ(probed.attempt.outcome().round_trip, 40ms);
    EXPECT_EQ(probed.attempt.outcome().source, kServer);
  }
}

TEST(ProbeAttempt, SendsWhatAServerUnwrapsAsAClientsReset) {
  for (const WrapMode mode : {WrapMode::None, WrapMode::TlsAuth, WrapMode::TlsCrypt}) {
    Probed probed(mode);
    const auto packet = probed.transmit(1s);
    ASSERT_TRUE(packet);
    std::array<std::uint8_t, 512> scratch;
    const auto unwrapped = probed.server.unwrap(*packet, scratch);
    ASSERT_TRUE(unwrapped);
    const auto reset = decode_control_packet(unwrapped->plain);
    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->opcode, Opcode::HardResetClientV2);
    EXPECT_EQ(reset->sender, probed.attempt.session_id());
    EXPECT_EQ(reset->message_id, MessageId{0});
    if (mode != WrapMode::None) {
      EXPECT_EQ(unwrapped->stamp.id, 2u);
    }
  }
}

TEST(ProbeAttempt, SeesThatTheAnswerComesFromElsewhere) {
  Probed probed;
  probed.handle_answer(kOther, 10ms);
  EXPECT_EQ(probed.verdict(), ProbeVerdict::WrongSource);
  EXPECT_EQ(probed.attempt.outcome().source, kOther);

  Probed other_port;
  other_port.handle_answer({.address = kServer.address, .port = 1195}, 10ms);
  EXPECT_EQ(other_port.verdict(), ProbeVerdict::WrongSource);
}

TEST(ProbeAttempt, SendsAgainEverySecondAndFallsSilent) {
  Probed probed;
  EXPECT_FALSE(probed.transmit(900ms));
  for (const Duration when : {1s, 2s, 3s, 4s}) {
    EXPECT_EQ(probed.attempt.poll_timeout(), Instant{when});
    EXPECT_TRUE(probed.transmit(when));
  }
  probed.attempt.handle_timeout(Instant{4900ms});
  EXPECT_FALSE(probed.attempt.is_done());
  probed.attempt.handle_timeout(Instant{5s});
  ASSERT_TRUE(probed.attempt.is_done());
  EXPECT_EQ(probed.verdict(), ProbeVerdict::Silent);
  EXPECT_EQ(probed.attempt.outcome().sent, 5u);
  EXPECT_FALSE(probed.attempt.poll_timeout());
  EXPECT_FALSE(probed.transmit(6s));
}

TEST(ProbeAttempt, MeasuresFromThePacketThatWasSentLast) {
  Probed probed;
  EXPECT_TRUE(probed.transmit(1s));
  probed.handle_answer(kServer, 1020ms);
  EXPECT_EQ(probed.attempt.outcome().round_trip, 20ms);
}

TEST(ProbeAttempt, SendsOnceOverTcp) {
  Probed probed(WrapMode::None, ProbeTransport::Tcp);
  EXPECT_FALSE(probed.transmit(3s));
  EXPECT_EQ(probed.attempt.poll_timeout(), Instant{5s});
}

// The answer to another client, a replayed one, or a stranger's idea of one.
TEST(ProbeAttempt, BelievesOnlyAnAnswerToItsOwnPacket) {
  Probed probed;
  probed.attempt.handle_datagram(probed.answer({{1}}, probed.server), kServer, Instant{1ms});
  EXPECT_FALSE(probed.attempt.is_done());

  std::vector<std::uint8_t> ours = probed.answer(probed.attempt.session_id(), probed.server);
  ours[0] = first_byte(Opcode::HardResetClientV2, {0});
  probed.attempt.handle_datagram(ours, kServer, Instant{1ms});
  probed.attempt.handle_datagram({}, kServer, Instant{1ms});
  EXPECT_FALSE(probed.attempt.is_done());
}

TEST(ProbeAttempt, TellsAnotherProgramFromSilence) {
  const std::vector<std::uint8_t> text = {'h', 'e', 'l', 'l', 'o'};
  Probed probed;
  probed.attempt.handle_datagram(text, kServer, Instant{1ms});
  EXPECT_FALSE(probed.attempt.is_done());
  probed.attempt.handle_timeout(Instant{5s});
  EXPECT_EQ(probed.verdict(), ProbeVerdict::NotOpenVpn);

  // What a stranger sends to our port is not the server's.
  Probed disturbed;
  disturbed.attempt.handle_datagram(text, kOther, Instant{1ms});
  disturbed.attempt.handle_timeout(Instant{5s});
  EXPECT_EQ(disturbed.verdict(), ProbeVerdict::Silent);
}

TEST(ProbeAttempt, SeesThatTheServerHasNoWrapping) {
  Probed probed(WrapMode::TlsAuth);
  probed.attempt.handle_datagram(probed.answer(probed.attempt.session_id(), TlsWrap()), kServer,
                                 Instant{1ms});
  EXPECT_EQ(probed.verdict(), ProbeVerdict::NotOpenVpn);
  EXPECT_TRUE(probed.attempt.outcome().answer_is_unwrapped);
}

TEST(ProbeAttempt, EndsAtARefusalAndAtTheSecondComplaintOfARouter) {
  using Kind = ProbeFailure::Kind;
  Probed refused;
  refused.attempt.handle_failure({Kind::Refused, "refused", kServer.address}, Instant{1ms});
  EXPECT_EQ(refused.verdict(), ProbeVerdict::Refused);

  Probed closed(WrapMode::None, ProbeTransport::Tcp);
  closed.attempt.handle_failure({Kind::Closed, "reset", std::nullopt}, Instant{1ms});
  EXPECT_EQ(closed.verdict(), ProbeVerdict::Closed);

  Probed routed;
  routed.attempt.handle_failure({Kind::Unreachable, "no route", kOther.address}, Instant{1ms});
  EXPECT_FALSE(routed.attempt.is_done());
  routed.attempt.handle_failure({Kind::Unreachable, "no route", kOther.address}, Instant{1s});
  EXPECT_EQ(routed.verdict(), ProbeVerdict::Unreachable);

  Probed local;
  local.attempt.handle_failure({Kind::Unreachable, "no route", std::nullopt}, Instant{1ms});
  EXPECT_EQ(local.verdict(), ProbeVerdict::Unreachable);

  Probed hopeful;
  hopeful.attempt.handle_failure({Kind::Unreachable, "no route", kOther.address}, Instant{1ms});
  hopeful.handle_answer(kServer, 900ms);
  EXPECT_EQ(hopeful.verdict(), ProbeVerdict::Reachable);
}

}  // namespace
}  // namespace ringway
