#include <gtest/gtest.h>

#include "control/control_plane.h"
#include "tests/control/admission_fixture.h"

/// What is asked about a client before it may have keys, and what becomes of the answers.
namespace ringway::test {
namespace {

TEST_F(ServerAdmissionTest, AsksNothingWhereNothingIsConfigured) {
  start();
  const PlaneClient& client = connect(at(1000), *client1_);

  EXPECT_TRUE(client.push);
  EXPECT_FALSE(plane_->poll_question());
}

TEST_F(ServerAdmissionTest, AsksInOpenVpnsOrder) {
  configure_all();
  start();
  connect(at(1000), *client1_, with_password());

  EXPECT_EQ(say_yes(), (std::vector{Kind::Certificate, Kind::Password, Kind::ClientConfig,
                                    Kind::Connect, Kind::Learn, Kind::Learn}));
  EXPECT_TRUE(clients_[0]->push);
  EXPECT_EQ(command_text(), "add install route route");
}

// B08: every question of a newcomer, unanswered and refused.
TEST_F(ServerAdmissionTest, GrantsNothingBeforeTheLastAnswer) {
  configure_all();
  for (std::size_t refused = 0; refused < 4; ++refused) {
    start();
    clients_.clear();
    commands_.clear();
    const PlaneClient& client = connect(at(1000), *client1_, with_password());
    for (std::size_t i = 0; i < refused; ++i) answer(next_question(), kYes);
    EXPECT_EQ(command_text(), "") << refused;
    EXPECT_FALSE(client.push) << refused;

    answer(next_question(), kNo);

    EXPECT_EQ(client.auth_failed, "not today") << refused;
    EXPECT_EQ(command_text(), "") << refused;
    EXPECT_FALSE(client.push) << refused;
    EXPECT_FALSE(plane_->poll_question()) << refused;
    EXPECT_EQ(open_questions(), 0u) << refused;
    EXPECT_TRUE(plane_->clients().empty()) << refused;
  }
}

TEST_F(ServerAdmissionTest, TurnsAwayWhoIsRevokedWhileItWaits) {  // B11
  config_.programs.connect = program();
  start();
  const PlaneClient& client = connect(at(1000), *client1_);
  const PlaneQuestion question = next_question();
  plane_->revoke({{.issuer = "", .serial_decimal = "4099"}}, now_);
  settle();
  answer(question, kYes);

  EXPECT_TRUE(client.auth_failed);
  EXPECT_FALSE(client.push);
  EXPECT_TRUE(plane_->clients().empty());
}

TEST_F(ServerAdmissionTest, HandsOverWhatTheClientSays) {
  config_.programs.password = program();
  start();
  connect(at(1000), *client1_, with_password());
  const PlaneQuestion question = next_question();

  EXPECT_EQ(question.facts.username, "alice");
  EXPECT_EQ(question.password, "secret");
  EXPECT_EQ(question.facts.common_name, "client1");
  const std::vector<CertificateFacts>& chain = question.facts.certificate.chain;
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[0].serial_decimal, "4099");
  EXPECT_EQ(chain[0].serial_hex, "10:03");
  EXPECT_EQ(chain[0].sha256_hex.size(), 32u * 3 - 1);
  EXPECT_NE(chain[0].subject.find("CN=client1"), std::string::npos);
  EXPECT_NE(chain[1].subject, chain[0].subject);
  EXPECT_EQ(question.facts.peer_info.find("IV_VER"), "2.6.14");
  EXPECT_EQ(question.facts.endpoint, at(1000));
  EXPECT_FALSE(question.is_renegotiation);
}

TEST_F(ServerAdmissionTest, RefusesAClientWithoutAPasswordUnasked) {
  config_.programs.password = program();
  start();
  const PlaneClient& client = connect(at(1000), *client1_);
  EXPECT_TRUE(client.auth_failed);
  EXPECT_FALSE(plane_->poll_question());

  config_.programs.password_optional = true;
  start();
  connect(at(1001), *client2_);
  EXPECT_EQ(next_question().kind, Kind::Password);
}

TEST_F(ServerAdmissionTest, NamesAClientByItsUserWhereThatIsWanted) {
  config_.programs.password = program();
  config_.programs.username_as_common_name = true;
  start();
  PlaneClient& client = connect(at(1000), *client1_, with_password());
  say_yes();
  ASSERT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(plane_->clients()[0].common_name, "alice");

  pass(6s);
  client.channel.renegotiate(now_);
  settle();
  say_yes();
  EXPECT_EQ(client.keys.size(), 2u);
}

TEST_F(ServerAdmissionTest, ServesOthersWhileOneWaits) {
  config_.programs.connect = program();
  start();
  const PlaneClient& waiting = connect(at(1000), *client1_);
  const PlaneQuestion about_the_first = next_question();
  const PlaneClient& other = connect(at(1001), *client2_);
  answer(next_question(), kYes);

  EXPECT_TRUE(other.push);
  EXPECT_FALSE(waiting.push);
  answer(about_the_first, kYes);
  EXPECT_TRUE(waiting.push);
}

TEST_F(ServerAdmissionTest, RefusesForTheMomentWhoseAnswerTakesTooLong) {
  config_.programs.password = program();
  start();
  const PlaneClient& client = connect(at(1000), *client1_, with_password());
  const PlaneQuestion question = next_question();
  pass(59s);
  EXPECT_FALSE(client.auth_failed);

  pass(2s);

  ASSERT_TRUE(client.auth_failed);
  EXPECT_TRUE(client.auth_failed->starts_with("TEMP")) << *client.auth_failed;
  EXPECT_EQ(plane_->poll_withdrawn_question(), question.id);
  EXPECT_EQ(open_questions(), 0u);
}

TEST_F(ServerAdmissionTest, LetsALateAnswerFindNothing) {
  config_.programs.connect = program();
  config_.programs.disconnect = program();
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  const PlaneQuestion question = next_question();
  client.channel.send_message("EXIT", now_);
  settle();
  EXPECT_EQ(plane_->poll_withdrawn_question(), question.id);
  // The program may already have done its work.
  EXPECT_EQ(next_question().kind, Kind::Disconnect);

  answer(question, kYes);

  EXPECT_FALSE(client.push);
  EXPECT_EQ(command_text(), "");
  EXPECT_TRUE(plane_->clients().empty());
  EXPECT_EQ(open_questions(), 0u);
}

TEST_F(ServerAdmissionTest, TakesANewHandshakeFromTheSameEndpointWhileOneWaits) {
  config_.programs.password = program();
  start();
  connect(at(1000), *client1_, with_password());
  const PlaneQuestion old_question = next_question();
  clients_.clear();
  const PlaneClient& client = connect(at(1000), *client1_, with_password());
  const PlaneQuestion question = next_question();
  EXPECT_EQ(plane_->poll_withdrawn_question(), old_question.id);

  answer(old_question, kYes);
  EXPECT_FALSE(client.push);
  answer(question, kYes);
  EXPECT_TRUE(client.push);
}

TEST_F(ServerAdmissionTest, ReplacesAnOlderSessionThatStillWaits) {
  config_.programs.connect = program();
  start();
  connect(at(1000), *client1_);
  const PlaneQuestion old_question = next_question();
  pass(2s);
  const PlaneClient& newer = connect(at(1001), *client1_);
  answer(next_question(), kYes);
  answer(old_question, kYes);

  EXPECT_TRUE(newer.push);
  EXPECT_FALSE(clients_[0]->push);
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ServerAdmissionTest, TellsAClientWhyItWaits) {
  config_.programs.password = program();
  start();
  const PlaneClient& client = connect(at(1000), *client1_, with_password());
  const PlaneQuestion question = next_question();
  plane_->handle_pending(question.id, {.timeout = 300s, .method = "webauth", .extra = "OPEN_URL:x"},
                         now_);
  settle();
  pass(200s);
  EXPECT_FALSE(client.auth_failed);

  answer(question, kYes);

  EXPECT_TRUE(client.push);
  EXPECT_EQ(client.messages,
            (std::vector<std::string>{"AUTH_PENDING,timeout 300", "INFO_PRE,OPEN_URL:x"}));
}

TEST_F(ServerAdmissionTest, EndsAPendingAnswerAtItsTime) {
  config_.programs.password = program();
  start();
  const PlaneClient& client = connect(at(1000), *client1_, with_password());
  plane_->handle_pending(next_question().id, {.timeout = 100s, .method = "", .extra = ""}, now_);
  settle();
  pass(99s);
  EXPECT_FALSE(client.auth_failed);
  pass(2s);
  EXPECT_TRUE(client.auth_failed);
}

TEST_F(ServerAdmissionTest, AsksAgainAtARenegotiation) {
  configure_all();
  start();
  PlaneClient& client = connect(at(1000), *client1_, with_password());
  say_yes();
  const std::size_t before = commands_.size();
  pass(6s);
  client.channel.renegotiate(now_);
  settle();
  EXPECT_EQ(command_text(before), "");
  EXPECT_EQ(plane_->clients().size(), 1u);

  EXPECT_EQ(say_yes(), (std::vector{Kind::Certificate, Kind::Password}));
  EXPECT_EQ(command_text(before), "install confirm");
}

TEST_F(ServerAdmissionTest, EndsASessionThatARenegotiationRefuses) {
  config_.programs.password = program();
  start();
  PlaneClient& client = connect(at(1000), *client1_, with_password());
  say_yes();
  const std::size_t before = commands_.size();
  pass(6s);
  client.channel.renegotiate(now_);
  settle();
  answer(next_question(), kNo);

  EXPECT_EQ(client.auth_failed, "not today");
  EXPECT_EQ(command_text(before), "unroute unroute remove");
}

TEST_F(ServerAdmissionTest, KeepsTheOldKeysOfARenegotiationWithoutAnAnswer) {
  config_.programs.password = program();
  config_.timers.ping_restart = 0s;
  start();
  PlaneClient& client = connect(at(1000), *client1_, with_password());
  say_yes();
  const std::size_t before = commands_.size();
  pass(6s);
  client.channel.renegotiate(now_);
  settle();
  const PlaneQuestion question = next_question();
  pass(61s);

  EXPECT_EQ(plane_->poll_withdrawn_question(), question.id);
  answer(question, kYes);
  EXPECT_EQ(command_text(before), "");
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ServerAdmissionTest, TellsProgramsThatAClientHasGone) {
  configure_all();
  start();
  PlaneClient& client = connect(at(1000), *client1_, with_password());
  say_yes();
  client.channel.send_message("EXIT", now_);
  settle();

  const PlaneQuestion disconnect = next_question();
  EXPECT_EQ(disconnect.kind, Kind::Disconnect);
  EXPECT_EQ(disconnect.facts.lease.v4, IpAddress::parse("10.77.0.2"));
  EXPECT_TRUE(disconnect.facts.peer_id.is_set());
  EXPECT_EQ(next_question().address, Prefix::parse("10.77.0.2/32"));
  EXPECT_EQ(next_question().address, Prefix::parse("fd77::1000/128"));
  pass(10s);
  EXPECT_FALSE(plane_->poll_question());
}

TEST_F(ServerAdmissionTest, AsksAboutTheAnswerToAChallenge) {
  config_.programs.password = program();
  config_.programs.challenge = program();
  start();
  PlaneClient& client = connect(at(1000), *client1_, with_password());
  const PlaneQuestion password = next_question();
  client.channel.send_message("CR_RESPONSE,c2VjcmV0", now_);
  settle();
  const PlaneQuestion challenge = next_question();
  EXPECT_EQ(challenge.kind, Kind::ChallengeResponse);
  EXPECT_EQ(challenge.response, "c2VjcmV0");

  answer(challenge, kNo);

  EXPECT_EQ(client.auth_failed, "not today");
  EXPECT_EQ(open_questions(), 0u);
}

}  // namespace
}  // namespace ringway::test
