#include <gtest/gtest.h>

#include "control/channel/control_channel.h"
#include "tests/support/channel_pair.h"

/// Text messages, push and rejection over a ControlChannel.
namespace ringway {
namespace {

using test::ChannelPair;
using test::ChannelPairSetup;

struct Connected : ChannelPair {
  explicit Connected(ChannelPairSetup initial = {}) : ChannelPair(std::move(initial)) {
    EXPECT_TRUE(connect(60s));
    run_for(1s);
  }
};

/// The server has read the client's key exchange and not made up its mind.
struct WaitingForAdmission : ChannelPair {
  WaitingForAdmission() : ChannelPair(undecided()) {
    EXPECT_TRUE(run_until([&] { return count<AuthRequested>(Side::Server) == 1; }, 5s));
  }
  static ChannelPairSetup undecided() {
    ChannelPairSetup setup;
    setup.admits = false;
    return setup;
  }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(ControlMessages, TellTheServerOnceThatTheClientLeaves) {
  Connected pair;
  for (int i = 0; i < 3; ++i) pair.client().send_message("EXIT", pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_EQ(pair.count<PeerLeft>(Side::Server), 1u) << "repeating it postpones nothing (B14)";
  EXPECT_EQ(pair.last<PeerLeft>(Side::Server)->message, "EXIT");
}

TEST(ControlMessages, TellTheClientThatTheServerStops) {
  Connected pair;
  pair.server().send_message("RESTART,[N]", pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_EQ(pair.last<PeerLeft>(Side::Client)->message, "RESTART,[N]");
}

TEST(ControlMessages, CarryAPushOfAnyLength) {
  ChannelPairSetup setup;
  for (int i = 0; i < 400; ++i) {
    setup.push.options.push_back("route 10.1." + std::to_string(i % 256) + ".0 255.255.255.0");
  }
  const PushReply push = setup.push;
  Connected pair(std::move(setup));
  EXPECT_EQ(pair.last<PushReceived>(Side::Client)->reply.options, push.options);
  EXPECT_EQ(pair.count<PushReceived>(Side::Client), 1u);
}

TEST(ControlMessages, RaiseOnePushHoweverOftenItComes) {
  Connected pair;
  pair.server().send_push_reply(pair.setup().push, pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_EQ(pair.count<PushReceived>(Side::Client), 1u);
}

TEST(ControlMessages, AreHeldBackUntilTheChannelIsActive) {
  WaitingForAdmission pair;
  pair.server().send_message("INFO,early", pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_EQ(pair.last<MessageReceived>(Side::Client)->text, "INFO,early");
}

TEST(ControlMessages, AreMadeSafeForClientsThatDropControlCharacters) {
  Connected pair;
  pair.server().send_message("INFO,a\nb\x1b", pair.now());
  pair.server().send_message("INFO," + std::string(5000, 'x'), pair.now());
  pair.drain();
  pair.run_for(1s);
  ASSERT_EQ(pair.count<MessageReceived>(Side::Client), 2u);
  EXPECT_EQ(pair.last<MessageReceived>(Side::Client)->text.size(), ControlChannel::kMessageSizeMax);
}

// Security goal B13.
TEST(ControlMessages, OfTheServerMeanNothingFromAClient) {
  Connected pair;
  for (const char* text : {"PUSH_REPLY,route 0.0.0.0 0.0.0.0", "RESTART", "HALT", "AUTH_FAILED",
                           "AUTH_PENDING,timeout 5", "PUSH_UPDATE,x"}) {
    pair.client().send_message(text, pair.now());
  }
  pair.client().send_message("CR_RESPONSE,SGVsbG8=", pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_EQ(pair.count<MessageReceived>(Side::Server), 1u);
  EXPECT_EQ(pair.count<PeerLeft>(Side::Server), 0u);
  EXPECT_EQ(pair.server().drops()[static_cast<std::size_t>(Drop::BadMessage)], 6u);
}

TEST(ControlMessages, AreLimitedPerSecond) {
  Connected pair;
  for (int i = 0; i < 50; ++i) pair.client().send_message("INFO,x", pair.now());
  pair.drain();
  pair.run_for(900ms);
  EXPECT_LE(pair.count<MessageReceived>(Side::Server), 20u);
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::BadMessage)], 0u);
}

TEST(ControlMessages, AreDroppedWhenTooManyWait) {
  Connected pair;
  pair.tap([](Side, std::vector<std::uint8_t>&) { return false; });
  for (int i = 0; i < 1000; ++i) {
    pair.server().send_message("INFO," + std::string(2000, 'x'), pair.now());
    pair.drain();
  }
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::QueueFull)], 800u);
}

TEST(Rejection, ReachesTheClientWithItsReasonAndEndsTheChannel) {
  WaitingForAdmission pair;
  pair.server().reject("no such\nuser", pair.now());
  pair.drain();
  pair.run_for(4s);
  EXPECT_EQ(pair.last<AuthFailed>(Side::Client)->reason, "no such_user");
  EXPECT_EQ(pair.count<Closed>(Side::Server), 0u) << "acknowledgements have their time";
  pair.run_for(3s);
  ASSERT_EQ(pair.count<Closed>(Side::Server), 1u);
  EXPECT_EQ(pair.count<KeysReady>(Side::Server), 0u);
}

TEST(Rejection, CannotBeTakenBack) {
  WaitingForAdmission pair;
  pair.server().reject("", pair.now());
  pair.server().admit({}, pair.now());
  pair.server().send_push_reply(pair.setup().push, pair.now());
  pair.drain();
  pair.run_for(2s);
  EXPECT_EQ(pair.count<KeysReady>(Side::Server), 0u);
  EXPECT_EQ(pair.count<PushReceived>(Side::Client), 0u);
  EXPECT_EQ(pair.last<AuthFailed>(Side::Client)->reason, "");
}

TEST(Rejection, SurvivesTheLossOfItsFirstCopy) {
  WaitingForAdmission pair;
  pair.run_for(1s);
  int lost = 1;
  pair.tap([&](Side sender, std::vector<std::uint8_t>&) {
    return sender == Side::Client || lost-- <= 0;
  });
  pair.server().reject("sorry", pair.now());
  pair.drain();
  pair.run_for(4s);
  EXPECT_EQ(pair.count<AuthFailed>(Side::Client), 1u);
}

TEST(Rejection, OfARenegotiationEndsTheSession) {
  Connected pair;
  pair.run_for(10s);
  pair.setup().admits = false;
  pair.client().renegotiate(pair.now());
  pair.drain();
  ASSERT_TRUE(pair.run_until([&] { return pair.count<AuthRequested>(Side::Server) == 2; }, 2s));
  pair.server().reject("another user", pair.now());
  pair.drain();
  pair.run_for(10s);
  EXPECT_EQ(pair.last<AuthFailed>(Side::Client)->reason, "another user");
  EXPECT_EQ(pair.count<KeysReady>(Side::Server), 1u);
  EXPECT_EQ(pair.count<Closed>(Side::Server), 1u);
}

// Security goal B07.
TEST(Rejection, AnswersANameThatIsTooLong) {
  ChannelPairSetup setup;
  setup.client.login = std::make_shared<Login>(Login{std::string(5000, 'a'), SecretText("secret")});
  ChannelPair pair(std::move(setup));
  pair.run_for(10s);
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 0u);
  EXPECT_TRUE(contains(pair.last<AuthFailed>(Side::Client)->reason, "too long"));
  EXPECT_EQ(pair.count<Closed>(Side::Server), 1u);
}

TEST(ControlMessages, CarryNameAndPassword) {
  ChannelPairSetup setup;
  setup.client.login = std::make_shared<Login>(Login{"alice", SecretText("wonderland")});
  Connected pair(std::move(setup));
  EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->username, "alice");
  EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->password, "wonderland");
}

TEST(Pull, AsksEveryFiveSecondsAndGivesUpAfterTheHandWindow) {
  WaitingForAdmission pair;
  pair.run_for(30s);
  EXPECT_EQ(pair.count<PushRequested>(Side::Server), 6u);
  pair.run_for(31s);
  EXPECT_EQ(pair.count<Closed>(Side::Client), 1u);
}

TEST(Pull, WaitsLongerWhenAuthenticationIsPending) {
  WaitingForAdmission pair;
  pair.run_for(1s);
  pair.server().send_message("AUTH_PENDING,timeout 120", pair.now());
  pair.drain();
  pair.run_for(110s);
  EXPECT_EQ(pair.count<Closed>(Side::Client), 0u);
  pair.run_for(20s);
  EXPECT_EQ(pair.count<Closed>(Side::Client), 1u);
}

TEST(Pull, StopsWhenTheClientIsRefused) {
  WaitingForAdmission pair;
  pair.server().reject("no", pair.now());
  pair.drain();
  pair.run_for(1s);
  const std::size_t asked = pair.count<PushRequested>(Side::Server);
  pair.run_for(4s);
  EXPECT_EQ(pair.count<PushRequested>(Side::Server), asked);
}

}  // namespace
}  // namespace ringway
