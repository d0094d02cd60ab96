#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/control/client_core_fixture.h"

/// What a client makes of what its server says: logins and tokens, questions, ends, and over TCP
/// what does not open.
namespace ringway::test {
namespace {

using Cause = ClientDisconnected::Cause;

/// A client that logs in by name and password.
class ClientLoginTest : public ClientCoreTest {
 protected:
  explicit ClientLoginTest(bool forgets = false) {
    settings_.channel.login = std::make_shared<Login>(Login{"alice", SecretText("secret")});
    settings_.channel.forgets_login = forgets;
    restart();
  }
  void restart() { client_ = ClientCore(settings_, wrap_, tls_, random_, now_); }
};

TEST_F(ClientLoginTest, SaysItsNameAndPassword) {
  exchange();

  EXPECT_EQ(server_.asked->username, "alice");
  EXPECT_EQ(server_.asked->password, "secret");
}

TEST_F(ClientLoginTest, UsesATokenThatIsPushedFromThenOn) {
  server_.push.options.emplace_back("auth-token SESS_ID_AT_1");
  exchange();

  ASSERT_NE(last<ClientTokenKept>(), nullptr);
  EXPECT_EQ(last<ClientTokenKept>()->token->username, "alice");
  EXPECT_EQ(last<ClientTokenKept>()->token->password.view(), "SESS_ID_AT_1");
  for (const std::string& option : last<ClientConnected>()->push.options) {
    EXPECT_EQ(option.find("SESS_ID"), std::string::npos);
  }

  now_.instant = now_.instant + 10s;
  client_.renegotiate(now_);
  exchange();
  EXPECT_EQ(server_.asked->password, "SESS_ID_AT_1");

  server_.channel->send_push_reply({.options = {"auth-token SESS_ID_AT_2"}}, now_);
  exchange();
  EXPECT_EQ(last<ClientTokenKept>()->token->password.view(), "SESS_ID_AT_2");
}

TEST_F(ClientLoginTest, TakesTheNameThatIsPushedWithAToken) {
  server_.push.options.emplace_back("auth-token T");
  server_.push.options.emplace_back("auth-token-user Ym9i");
  exchange();

  ASSERT_NE(last<ClientTokenKept>(), nullptr);
  EXPECT_EQ(last<ClientTokenKept>()->token->username, "bob");
}

TEST_F(ClientLoginTest, LeavesATokenThatThePullFilterIgnores) {
  settings_.ignores_push = [](std::string_view option) { return option.starts_with("auth-token"); };
  restart();
  server_.push.options.emplace_back("auth-token T");
  exchange();

  EXPECT_TRUE(client_.is_connected());
  EXPECT_EQ(last<ClientTokenKept>(), nullptr);
}

TEST_F(ClientCoreTest, FollowsWhatTheServerChanges) {
  server_.push.options.emplace_back("route 10.1.0.0 255.255.0.0");
  exchange();
  server_.channel->send_push_update({"route 10.2.0.0 255.255.0.0", "block-ipv6"}, now_);
  exchange();

  ASSERT_NE(last<ClientReconfigured>(), nullptr);
  std::vector<std::string> wanted = last<ClientConnected>()->push.options;
  std::erase(wanted, "route 10.1.0.0 255.255.0.0");
  wanted.insert(wanted.end(), {"route 10.2.0.0 255.255.0.0", "block-ipv6"});
  EXPECT_EQ(last<ClientReconfigured>()->push.options, wanted);
  EXPECT_TRUE(client_.is_connected());
}

TEST_F(ClientCoreTest, PingsAtTheTimesThatTheServerSaysLater) {
  server_.push.options.emplace_back("ping 10");
  exchange();
  server_.channel->send_push_update({"ping 3"}, now_);
  exchange();

  ASSERT_TRUE(client_.poll_timeout());
  EXPECT_LE(*client_.poll_timeout(), now_.instant + 3s);
}

/// So that the next login brings what it wants.
TEST_F(ClientCoreTest, ConnectsAnewForAChangeThatItCannotFollow) {
  exchange();
  server_.channel->send_message("PUSH_UPDATE,cipher AES-128-GCM", now_);
  exchange();

  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Failed);
  EXPECT_NE(last<ClientDisconnected>()->reason.find("cipher"), std::string::npos);
}

TEST_F(ClientCoreTest, TakesNoTokenOfNobody) {
  server_.push.options.emplace_back("auth-token T");
  exchange();

  EXPECT_EQ(last<ClientTokenKept>(), nullptr);
}

class ForgetfulLoginTest : public ClientLoginTest {
 protected:
  ForgetfulLoginTest() : ClientLoginTest(true) {}
};

TEST_F(ForgetfulLoginTest, AsksForTheLoginAtEachRenegotiation) {
  exchange();
  EXPECT_EQ(last<ClientLoginWanted>(), nullptr);
  now_.instant = now_.instant + 10s;
  client_.renegotiate(now_);
  server_.asked.reset();
  exchange();
  ASSERT_NE(last<ClientLoginWanted>(), nullptr);
  EXPECT_FALSE(server_.asked);

  client_.set_login(std::make_shared<Login>(Login{"alice", SecretText("again")}), now_);
  exchange();

  ASSERT_TRUE(server_.asked);
  EXPECT_EQ(server_.asked->password, "again");
  EXPECT_NE(last<ClientRekeyed>(), nullptr);
}

TEST_F(ForgetfulLoginTest, AsksNothingOnceItHasAToken) {
  server_.push.options.emplace_back("auth-token T");
  exchange();
  now_.instant = now_.instant + 10s;
  client_.renegotiate(now_);
  exchange();

  EXPECT_EQ(last<ClientLoginWanted>(), nullptr);
  EXPECT_EQ(server_.asked->password, "T");
}

TEST_F(ClientCoreTest, PassesOnWhatTheServerAsksAndAnswers) {
  exchange();
  server_.channel->send_message("INFO_PRE,CR_TEXT:R,E:Number?", now_);
  exchange();

  ASSERT_NE(last<ClientNotice>(), nullptr);
  EXPECT_EQ(last<ClientNotice>()->text, "INFO_PRE,CR_TEXT:R,E:Number?");
  client_.answer_challenge(SecretText("42"), now_);
  exchange();
  EXPECT_EQ(server_.said, "CR_RESPONSE,NDI=");
}

TEST_F(ClientCoreTest, EndsForGoodWhereSilenceIsTheEnd) {
  server_.push.options.emplace_back("ping-exit 20");
  exchange();
  now_.instant = now_.instant + 20s;
  client_.handle_timeout(now_);
  while (auto event = client_.poll_event()) events_.push_back(std::move(*event));

  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Over);
}

TEST_F(ClientCoreTest, SaysWhenItsTimeIsUp) {
  server_.push.options.emplace_back("inactive 10 1000");
  exchange();
  std::array<std::uint8_t, 2048> out;
  const std::vector<std::uint8_t> packet(999, 0x45);
  ASSERT_TRUE(client_.handle_packet(packet, out, now_));

  pass(9s);
  EXPECT_EQ(last<ClientTimeIsUp>(), nullptr);
  pass(1s);
  ASSERT_NE(last<ClientTimeIsUp>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>(), nullptr) << "that is for the owner to say";
}

/// Over TCP.
class ClientStreamTest : public ClientCoreTest {
 protected:
  ClientStreamTest() {
    settings_.path = PathKind::Stream;
    client_ = ClientCore(settings_, wrap_, tls_, random_, now_);
  }
  /// What the server has sealed, as often as it is wanted.
  std::vector<std::uint8_t> sealed() {
    std::array<std::uint8_t, 2048> out;
    const auto packet = server_.session->seal(bytes_of("hello"), out, now_.instant);
    return {packet->begin(), packet->end()};
  }
};

TEST_F(ClientStreamTest, ConnectsAnewAfterAPacketThatDoesNotOpen) {
  exchange();
  std::vector<std::uint8_t> damaged = sealed();
  damaged.back() ^= 1;
  EXPECT_FALSE(client_.handle_datagram(damaged, now_));
  exchange();

  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Failed);
}

TEST_F(ClientStreamTest, ConnectsAnewAfterARepeatedPacket) {
  exchange();
  std::vector<std::uint8_t> packet = sealed();
  std::vector<std::uint8_t> again = packet;
  EXPECT_TRUE(client_.handle_datagram(packet, now_));
  EXPECT_FALSE(client_.handle_datagram(again, now_));
  exchange();

  EXPECT_NE(last<ClientDisconnected>(), nullptr);
}

TEST_F(ClientCoreTest, OutlivesBothOverUdp) {
  exchange();
  std::array<std::uint8_t, 2048> out;
  const auto packet = server_.session->seal(bytes_of("hello"), out, now_.instant);
  ASSERT_TRUE(packet);
  packet->back() ^= 1;
  EXPECT_FALSE(client_.handle_datagram(*packet, now_));
  exchange();

  EXPECT_EQ(last<ClientDisconnected>(), nullptr);
}

}  // namespace
}  // namespace ringway::test
