#include <gtest/gtest.h>

#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"
#include "tests/control/plane_fixture.h"
#include "tests/dataplane/admission/admission_fixture.h"

/// tls-crypt-v2 at the control plane: clients with keys of their own, and those that cannot show
/// theirs twice, for whom something is remembered before they have proven their address.
namespace ringway::test {
namespace {

class PlaneStrangersTest : public PlaneTest {
 protected:
  PlaneStrangersTest() {
    wrap_.offer_v2({.key = captured_v2_server_key()});
    config_.connect_freq_source = {};
    start();
  }

  /// A reset as OpenVPN 2.5 sends it: with its key, and without the word that it can repeat it.
  void knock(std::uint16_t port, std::uint64_t session) {
    const ControlPacket reset{
        .opcode = Opcode::HardResetClientV3, .sender = session_id(session), .message_id = {0}};
    auto datagram = wrapped(own_wrap_, reset, {1, 1000});
    const Bytes key = own_wrap_.wrapped_key();
    datagram.insert(datagram.end(), key.begin(), key.end());
    to_server(datagram, at(port));
    from_plane();
  }

  PlaneClient& connect_with_own_key(std::uint16_t port) {
    clients_.push_back(std::make_unique<PlaneClient>(client_settings(), own_wrap_, *client1_,
                                                     random_, at(port), now_));
    settle();
    return *clients_.back();
  }

  TlsWrap own_wrap_ = TlsWrap::with_wrapped_key(captured_v2_client_key());
};

TEST_F(PlaneStrangersTest, ConnectsAClientThatShowsItsKeyTwice) {
  const PlaneClient& client = connect_with_own_key(1000);
  ASSERT_TRUE(client.push) << log_;
  EXPECT_EQ(plane_->half_open_count(), 0u);
}

TEST_F(PlaneStrangersTest, KeepsNothingOfAResetThatCanBeRepeated) {  // A07
  const ControlPacket reset{.opcode = Opcode::HardResetClientV3, .sender = session_id(5)};
  auto datagram = wrapped(own_wrap_, reset, {0x0f000001, 1000});
  const Bytes key = own_wrap_.wrapped_key();
  datagram.insert(datagram.end(), key.begin(), key.end());
  to_server(datagram, at(1000));
  EXPECT_EQ(plane_->half_open_count(), 0u);
  EXPECT_GT(bytes_sent_, 0u);
}

TEST_F(PlaneStrangersTest, AnswersAnOldClientFromOneOfItsFewPlaces) {  // A07
  knock(1000, 77);
  EXPECT_EQ(plane_->half_open_count(), 1u);
  EXPECT_GT(bytes_sent_, 0u);
}

TEST_F(PlaneStrangersTest, LetsNoMoreThanSoManyWait) {  // A07
  for (std::uint16_t i = 0; i < 2 * ControlPlane::kUnprovenMax; ++i) {
    knock(static_cast<std::uint16_t>(1000 + i), 100u + i);
    EXPECT_LE(plane_->half_open_count(), ControlPlane::kUnprovenMax);
  }
  EXPECT_EQ(plane_->half_open_count(), ControlPlane::kUnprovenMax);
  EXPECT_EQ(dropped(Drop::HalfOpenLimit), ControlPlane::kUnprovenMax);

  const PlaneClient& client = connect_with_own_key(60000);
  EXPECT_TRUE(client.push) << log_;
}

TEST_F(PlaneStrangersTest, ForgetsWhoDoesNotGoOn) {  // A07
  knock(1000, 77);
  pass(ControlPlane::kUnprovenTime - 1s);
  EXPECT_EQ(plane_->half_open_count(), 1u);
  pass(2s);
  EXPECT_EQ(plane_->half_open_count(), 0u);
}

/// Behind a NAT that maps by destination, two clients may have one address and port.
class PlaneListenersTest : public PlaneTest {};

TEST_F(PlaneListenersTest, LetsTwoInAtOnceFromOnePlaceToTwoListeners) {  // B03
  start();
  LinkEndpoint elsewhere = at(1000);
  elsewhere.listener = 1;
  const PlaneClient& first = add_client(at(1000), *client1_);
  const PlaneClient& second = add_client(elsewhere, *client2_);
  settle();

  EXPECT_TRUE(first.push) << log_;
  EXPECT_TRUE(second.push) << log_;
  EXPECT_EQ(plane_->table_sizes().channels, 2u) << log_;
  EXPECT_EQ(plane_->half_open_count(), 0u);
}

class ClientKeyQuestionTest : public PlaneStrangersTest {
 protected:
  ClientKeyQuestionTest() {
    config_.programs.client_key = {.words = {"/bin/true"}, .where = "server.conf:1"};
    config_.programs.certificate = config_.programs.client_key;
    start();
  }
  PlaneQuestion next_question() {
    std::optional<PlaneQuestion> question = plane_->poll_question();
    EXPECT_TRUE(question) << log_;
    return question ? std::move(*question) : PlaneQuestion();
  }
  void answer(const PlaneQuestion& question, PlaneAnswer said) {
    plane_->handle_answer(question.id, said, now_);
    settle();
  }
};

// A14: a reset of an old client can be recorded, and sent in anybody's name.
TEST_F(ClientKeyQuestionTest, TakesAProvenClientsPlaceForNobodyUnproven) {
  const PlaneClient& client = connect_with_own_key(1000);
  knock(1000, 77);
  EXPECT_EQ(dropped(Drop::ForeignSession), 1u);

  answer(next_question(), {.accepted = true});
  answer(next_question(), {.accepted = true});
  EXPECT_TRUE(client.push) << log_;
}

// A09.
TEST_F(ClientKeyQuestionTest, IsAskedFirstAndOnce) {
  PlaneClient& client = connect_with_own_key(1000);
  const PlaneQuestion key = next_question();
  EXPECT_EQ(key.kind, QuestionKind::ClientKey);
  EXPECT_EQ(key.key_metadata, text_of(load_vector("tls-crypt-v2-wkc-timestamp").bytes("metadata")));
  EXPECT_FALSE(plane_->poll_question());
  EXPECT_FALSE(client.push);

  answer(key, {.accepted = true});
  const PlaneQuestion certificate = next_question();
  EXPECT_EQ(certificate.kind, QuestionKind::Certificate);
  answer(certificate, {.accepted = true});
  EXPECT_TRUE(client.push) << log_;

  pass(6s);
  client.channel.renegotiate(now_);
  settle();
  EXPECT_EQ(next_question().kind, QuestionKind::Certificate);
}

TEST_F(ClientKeyQuestionTest, WhoseKeyIsRefusedIsRefused) {
  const PlaneClient& client = connect_with_own_key(1000);
  answer(next_question(), {.accepted = false, .for_log = "said no"});
  EXPECT_TRUE(client.auth_failed);
  EXPECT_FALSE(client.push);
  EXPECT_FALSE(plane_->poll_question());
}

TEST_F(ClientKeyQuestionTest, IsAskedByNobodyWhoHasNotFinishedTheHandshake) {  // A09
  knock(1000, 77);
  EXPECT_EQ(plane_->half_open_count(), 1u);
  EXPECT_FALSE(plane_->poll_question());
}

class PlaneNewcomersTest : public PlaneTest {
 protected:
  /// Everything since the last time, from the first worker's point of view.
  template <typename Command>
  std::vector<Command> told() {
    std::vector<Command> found;
    while (auto addressed = plane_->poll_command()) {
      if (addressed->worker != WorkerId{0}) continue;
      if (auto* command = std::get_if<Command>(&addressed->command)) {
        found.push_back(std::move(*command));
      }
    }
    return found;
  }
};

TEST_F(PlaneNewcomersTest, AnswersNobodyItself) {
  start();
  ControlPacket reset{.opcode = Opcode::HardResetClientV2, .sender = session_id(5)};
  plane_->handle_datagram(encoded(reset), at(1000), now_);

  EXPECT_FALSE(from_plane());
  EXPECT_EQ(plane_->half_open_count(), 0u);
  EXPECT_EQ(dropped(Drop::BadReset), 1u);
}

TEST_F(PlaneNewcomersTest, ChecksTheCookieOnceMore) {  // A02
  start();
  ControlPacket forged{.opcode = Opcode::AckV1, .sender = session_id(5), .ack_count = 1};
  forged.receiver = session_id(6);
  plane_->handle_datagram(encoded(forged), at(1000), now_);

  EXPECT_EQ(plane_->half_open_count(), 0u);
  EXPECT_EQ(dropped(Drop::BadCookie), 1u);
}

TEST_F(PlaneNewcomersTest, SaysWhichChannelsThereAre) {
  start();
  ASSERT_TRUE(prove(at(1000), 1));
  const auto known = told<KnowChannel>();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known[0].endpoint, at(1000));
  EXPECT_FALSE(known[0].is_established);
  pass(61s);
  EXPECT_EQ(plane_->half_open_count(), 0u);
}

TEST_F(PlaneNewcomersTest, SaysWhomItAsksAbout) {
  config_.programs.certificate = {.words = {"/bin/true"}, .where = "server.conf:1"};
  start();
  PlaneClient& client = add_client(at(1000), *client1_);
  std::vector<KnowChannel> known;
  std::optional<PlaneQuestion> question;
  for (int round = 0; round < 50 && !question; ++round) {
    from_client(client);
    for (KnowChannel& one : told<KnowChannel>()) known.push_back(one);
    from_plane();
    question = plane_->poll_question();
  }
  ASSERT_TRUE(question);
  ASSERT_EQ(known.size(), 2u);
  EXPECT_FALSE(known[0].is_awaited);
  EXPECT_TRUE(known[1].is_awaited);
  EXPECT_FALSE(known[1].is_established);
}

TEST_F(PlaneNewcomersTest, SaysWhoIsConnectedAndWhoHasLeft) {
  start();
  PlaneClient& client = add_client(at(1000), *client1_);
  std::vector<KnowChannel> known;
  for (int round = 0; round < 50 && !client.push; ++round) {
    from_client(client);
    for (KnowChannel& one : told<KnowChannel>()) known.push_back(one);
    from_plane();
  }
  ASSERT_TRUE(client.push) << log_;
  ASSERT_FALSE(known.empty());
  EXPECT_TRUE(known.back().is_established);

  plane_->handle_connection_ended(at(1000), now_);
  const auto forgotten = told<ForgetChannel>();
  ASSERT_EQ(forgotten.size(), 1u);
  EXPECT_EQ(forgotten[0].session, client.channel.local_session());
}

TEST_F(PlaneNewcomersTest, GivesTheWorkersAnotherKeyForCookiesEveryHour) {
  start(2);
  ASSERT_TRUE(waits_for_nobody());
  const Instant due = *plane_->poll_timeout();
  EXPECT_LE(due - now_.instant, 3600s);
  now_.instant = due;
  plane_->handle_timeout(now_);

  const auto keys = told<InstallCookieKey>();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_GT(keys[0].key.from_slot, now_.instant.since_start / 30s);
  EXPECT_GT(*plane_->poll_timeout(), now_.instant + 1800s);
}

TEST_F(PlaneNewcomersTest, LetsClientsInWhileTheKeyChanges) {
  start();
  now_.instant = *plane_->poll_timeout();
  plane_->handle_timeout(now_);
  take_commands();
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(connect(at(static_cast<std::uint16_t>(1000 + i)), *client1_).push) << i;
    now_.instant = now_.instant + 15s;
  }
}

}  // namespace
}  // namespace ringway::test
