#include <gtest/gtest.h>

#include "control/channel/control_channel.h"
#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/channel_pair.h"

/// What a third party, or a broken peer, can do to a ControlChannel: security goals A10 to A17.
namespace ringway {
namespace {

using test::ChannelPair;
using test::ChannelPairSetup;
using test::SeededRandom;

using Datagram = std::vector<std::uint8_t>;

ChannelPairSetup setup_of(test::WrapPair wraps) {
  ChannelPairSetup setup;
  setup.server_wrap = std::move(wraps.server);
  setup.client_wrap = std::move(wraps.client);
  return setup;
}

/// Connects, renegotiates and says goodbye while `attack` sees every datagram.
void expect_unharmed(ChannelPair& pair, const std::function<void(Side, const Datagram&)>& attack) {
  pair.tap([&](Side sender, const Datagram& datagram) {
    attack(sender, datagram);
    return true;
  });
  ASSERT_TRUE(pair.connect(5s));
  pair.run_for(6s);
  pair.client().renegotiate(pair.now());
  pair.drain();
  ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(2); }, 5s));
  pair.client().send_message("EXIT", pair.now());
  pair.drain();
  pair.run_for(2s);
  EXPECT_EQ(pair.count<PeerLeft>(Side::Server), 1u);
  EXPECT_EQ(pair.count<Closed>(Side::Server) + pair.count<Closed>(Side::Client), 0u);
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 2u);
}

TEST(ControlChannelAttack, ReplayedDatagramsAtEveryStepChangeNothing) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    SCOPED_TRACE(wraps.name);
    ChannelPair pair(setup_of(std::move(wraps)));
    std::vector<std::pair<Side, Datagram>> recorded;
    expect_unharmed(pair, [&](Side sender, const Datagram& datagram) {
      // Unwrapped replays are acknowledged again, and those acknowledgements recorded: enough is
      // enough at some point.
      if (recorded.size() > 80) return;
      recorded.emplace_back(sender, datagram);
      for (const auto& [side, old] : recorded) pair.inject(side, old);
    });
  }
}

TEST(ControlChannelAttack, FlippedBitsAtEveryStepChangeNothingWhereThereIsAWrapping) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    if (!wraps.server.is_protected()) continue;
    SCOPED_TRACE(wraps.name);
    ChannelPair pair(setup_of(std::move(wraps)));
    SeededRandom dice(4711);
    expect_unharmed(pair, [&](Side sender, const Datagram& datagram) {
      for (int i = 0; i < 50; ++i) {
        Datagram forged = datagram;
        forged[dice.next() % forged.size()] ^= static_cast<std::uint8_t>(1u << dice.next() % 8);
        pair.inject(sender, forged);
      }
    });
    EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::BadWrap)], 0u);
  }
}

TEST(ControlChannelAttack, TruncatedDatagramsAtEveryStepChangeNothingWhereThereIsAWrapping) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    if (!wraps.server.is_protected()) continue;
    SCOPED_TRACE(wraps.name);
    ChannelPair pair(setup_of(std::move(wraps)));
    expect_unharmed(pair, [&](Side sender, const Datagram& datagram) {
      for (std::size_t size = 0; size < datagram.size(); size += 1 + size / 8) {
        pair.inject(sender, Datagram(datagram.begin(),
                                     datagram.begin() + static_cast<std::ptrdiff_t>(size)));
      }
    });
  }
}

TEST(ControlChannelAttack, GarbageOfEveryOpcodeAndLengthChangesNothing) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    SCOPED_TRACE(wraps.name);
    ChannelPair pair(setup_of(std::move(wraps)));
    SeededRandom dice(815);
    std::uint8_t opcode = 0;
    expect_unharmed(pair, [&](Side sender, const Datagram&) {
      for (const std::size_t size : {0u, 1u, 9u, 14u, 22u, 50u, 1500u, 2048u, 60'000u}) {
        Datagram junk(size);
        dice.fill(junk);
        if (size > 0) junk[0] = static_cast<std::uint8_t>(opcode++ << 3 | dice.next() % 8);
        pair.inject(sender, junk);
      }
    });
  }
}

/// Unwrapped, with both session ids known: what an observer on the path can make up.
TEST(ControlChannelAttack, ForgedHeadersOfAKnownSessionChangeNothing) {
  ChannelPair pair(setup_of({"none", {}, {}}));
  expect_unharmed(pair, [&](Side sender, const Datagram& datagram) {
    const ControlPacket packet = *decode_control_packet(datagram);
    const auto inject = [&](const ControlPacket& forged) {
      pair.inject(sender, test::encode(forged));
    };
    ControlPacket forged = packet;
    forged.payload = {};
    // Acknowledgements of what was never sent (A12).
    forged.opcode = Opcode::AckV1;
    forged.ack_count = 8;
    for (std::uint32_t i = 0; i < 8; ++i) forged.ack_ids[i] = {0xffff'fff0 + i};
    if (packet.ack_count > 0) inject(forged);
    // A reset in the middle of the stream, and TLS in the place of the reset (A06).
    forged = packet;
    forged.ack_count = 0;
    forged.payload = {};
    for (const Opcode opcode :
         {Opcode::SoftResetV1, Opcode::HardResetClientV2, Opcode::HardResetServerV2}) {
      forged.opcode = opcode;
      forged.message_id = {packet.message_id.value + 1};
      inject(forged);
    }
    forged.opcode = Opcode::ControlV1;
    forged.message_id = {0};
    inject(forged);
    // Messages beyond the window, and of key ids that nobody negotiates (A17).
    forged.message_id = {packet.message_id.value + 1000};
    inject(forged);
    forged.message_id = {1};
    for (std::uint8_t id = 2; id < 8; ++id) {
      forged.key_id = {id};
      inject(forged);
    }
    // Who answers first is the server, to a client that has neither wrapping nor TLS yet.
    if (packet.opcode == Opcode::HardResetServerV2) return;
    forged = packet;
    forged.sender = test::session_id(0x1234);
    inject(forged);
    if (packet.ack_count > 0) {
      forged.sender = packet.sender;
      forged.receiver = test::session_id(0x5678);
      inject(forged);
    }
  });
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::BadReset)], 0u);
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::WrongKeyId)], 0u);
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::OutsideWindow)], 0u);
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::ForeignSession)], 0u);
}

TEST(ControlChannelAttack, ASoftResetIsNotHeardBeforeTheFirstKeysNorUnderKeyZero) {
  ChannelPairSetup setup;
  setup.admits = false;
  ChannelPair pair(std::move(setup));
  pair.run_for(10s);
  ControlPacket reset{
      .opcode = Opcode::SoftResetV1, .key_id = {1}, .sender = pair.client().local_session()};
  pair.inject(Side::Client, test::encode(reset));
  pair.run_for(1s);
  EXPECT_EQ(pair.server().drops()[static_cast<std::size_t>(Drop::WrongKeyId)], 1u);

  pair.server().admit({}, pair.now());
  pair.server().send_push_reply(pair.setup().push, pair.now());
  pair.drain();
  ASSERT_TRUE(pair.connect(1s));
  reset.key_id = {0};
  pair.inject(Side::Client, test::encode(reset));
  pair.run_for(1s);
  EXPECT_EQ(pair.server().drops()[static_cast<std::size_t>(Drop::BadReset)], 1u);
}

// A repeated first reset says that the client has not heard us: it is acknowledged again.
TEST(ControlChannelAttack, ARepeatedHardResetIsOnlyAcknowledged) {
  ChannelPair pair{ChannelPairSetup()};
  Datagram reset;
  pair.tap([&](Side, const Datagram& datagram) {
    if (reset.empty()) reset = datagram;
    return true;
  });
  // The first datagram left before the tap was there; make one like it.
  const ControlPacket first{.opcode = Opcode::HardResetClientV2,
                            .sender = pair.client().local_session()};
  ASSERT_TRUE(pair.connect(5s));
  std::size_t answers = 0;
  pair.tap([&](Side sender, const Datagram& datagram) {
    if (sender == Side::Server) {
      ++answers;
      EXPECT_EQ(opcode_of(datagram[0]), Opcode::AckV1);
    }
    return true;
  });
  pair.run_for(100ms);
  answers = 0;
  pair.inject(Side::Client, test::encode(first));
  pair.run_for(1s);
  EXPECT_EQ(answers, 1u);
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 1u);
}

/// A client that sends TLS bytes of its own making; the reliability layer is done properly.
class RawClient {
 public:
  RawClient()
      : tls_(test::make_context(Side::Server, test::server_material())),
        channel_(ControlChannel::accept(settings(), wrap_, tls_, random_,
                                        {.local = local_, .remote = remote_}, now_)) {}

  void send(Bytes payload) {
    ControlPacket packet{.sender = remote_, .message_id = {next_++}, .payload = payload};
    now_.instant = now_.instant + 1ms;
    channel_.handle_datagram(test::encode(packet), now_);
    // Everything the server says is acknowledged.
    Datagram scratch(ControlChannel::kDatagramSizeMax);
    ControlPacket acks{.opcode = Opcode::AckV1, .sender = remote_, .receiver = local_};
    while (const auto datagram = channel_.poll_transmit(scratch, now_)) {
      const auto answer = decode_control_packet(*datagram);
      if (answer->has_message() && acks.ack_count < 8) {
        acks.ack_ids[acks.ack_count++] = answer->message_id;
      }
    }
    if (acks.ack_count > 0) channel_.handle_datagram(test::encode(acks), now_);
  }
  bool is_closed() {
    while (const auto event = channel_.poll_event()) {
      if (std::holds_alternative<Closed>(*event)) closed_ = true;
    }
    return closed_;
  }

 private:
  static ChannelSettings settings() {
    ChannelSettings settings;
    settings.side = Side::Server;
    return settings;
  }

  TlsWrap wrap_;
  SeededRandom random_{1};
  TlsContext tls_;
  SessionId local_ = test::session_id(1);
  SessionId remote_ = test::session_id(2);
  Now now_{.instant = {1s}, .wall = test::kTestDay};
  ControlChannel channel_;
  std::uint32_t next_ = 1;
  bool closed_ = false;
};

// Security goal A13.
TEST(ControlChannelAttack, AHandshakeMayNotGrowWithoutBound) {
  RawClient client;
  // A ClientHello of 16 KiB, of which one byte comes at a time; each in a record of its own.
  client.send(test::from_hex("16030100050100400003"));
  std::size_t sent = 10;
  while (!client.is_closed() && sent < 200'000) {
    const Datagram byte = test::from_hex("160301000103");
    Datagram many;
    for (int i = 0; i < 200; ++i) many.insert(many.end(), byte.begin(), byte.end());
    client.send(many);
    sent += many.size();
  }
  EXPECT_TRUE(client.is_closed());
  EXPECT_LE(sent, 70'000u);
}

TEST(ControlChannelAttack, TlsGarbageClosesAHalfOpenChannel) {
  RawClient client;
  client.send(test::from_hex("474554202f20485454502f312e310d0a"));
  EXPECT_TRUE(client.is_closed());
}

}  // namespace
}  // namespace ringway
