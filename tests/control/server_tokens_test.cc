#include <gtest/gtest.h>

#include "control/auth_token.h"
#include "control/channel/login.h"
#include "control/control_plane.h"
#include "tests/control/plane_fixture.h"

/// Tokens in the place of passwords: who is asked, and what clients are given.
namespace ringway::test {
namespace {

constexpr TokenLimits kLimits{.lifetime = 10'000s, .renewal = 1000s};

class ServerTokensTest : public PlaneTest {
 protected:
  void start_with_tokens() {
    config_.programs.password = {.words = {"/bin/true"}, .where = "server.conf:1"};
    config_.tokens.enabled = true;
    start();
    plane_->set_tokens(tokens(kLimits));
  }
  /// Of one secret, however often it is asked for.
  static AuthTokens tokens(TokenLimits limits) {
    SeededRandom dice(11);
    return AuthTokens::make(dice, limits);
  }
  static ChannelSettings with_password(std::string password, std::string username = "alice") {
    ChannelSettings settings = client_settings();
    settings.login =
        std::make_shared<Login>(Login{std::move(username), SecretText(std::move(password))});
    return settings;
  }
  /// The questions that are asked, each answered by yes.
  std::vector<PlaneQuestion> say_yes() {
    std::vector<PlaneQuestion> questions;
    while (auto question = plane_->poll_question()) {
      plane_->handle_answer(question->id, {.accepted = true}, now_);
      questions.push_back(std::move(*question));
      settle();
    }
    return questions;
  }
  static const std::string& token_of(const PlaneClient& client) { return client.token; }
  /// A renegotiation by what was pushed last.
  void renegotiate(PlaneClient& client) {
    client.channel.keep_token(std::make_shared<Login>(Login{"alice", SecretText(client.token)}),
                              now_);
    client.channel.renegotiate(now_);
    settle();
  }
  AuthTokens::Verdict judge(const std::string& token, std::string_view username = "alice") {
    return tokens(kLimits).judge(token, username, now_.wall);
  }
};

TEST_F(ServerTokensTest, ALoginGivesATokenThatAnswersNextTime) {
  start_with_tokens();
  const PlaneClient& first = connect(at(1000), *client1_, with_password("secret"));
  ASSERT_EQ(say_yes().size(), 1u);
  const std::string token = token_of(first);
  ASSERT_EQ(judge(token).state, TokenState::Authenticated) << token;

  const PlaneClient& again = connect(at(1001), *client1_, with_password(token));

  EXPECT_TRUE(say_yes().empty()) << "nobody is asked";
  ASSERT_TRUE(again.push);
  EXPECT_EQ(judge(token_of(again)).session, judge(token).session) << "the login goes on";
}

// B09.
TEST_F(ServerTokensTest, NobodyElsesTokenIsTaken) {
  start_with_tokens();
  const PlaneClient& first = connect(at(1000), *client1_, with_password("secret"));
  say_yes();
  const std::string token = token_of(first);

  const PlaneClient& other = connect(at(1001), *client2_, with_password(token, "bob"));
  EXPECT_EQ(other.auth_failed, "SESSION: token invalid");
  std::string changed = token;
  changed[40] = changed[40] == 'A' ? 'B' : 'A';
  const PlaneClient& forged = connect(at(1002), *client2_, with_password(changed));
  EXPECT_EQ(forged.auth_failed, "SESSION: token invalid");
  EXPECT_TRUE(say_yes().empty()) << "a program could take it for a password";
}

TEST_F(ServerTokensTest, AnExpiredOneIsRefusedSoThatThePasswordIsAskedFor) {
  start_with_tokens();
  SeededRandom dice(3);
  const auto token_from = [&](std::int64_t login, std::int64_t renewal) {
    const TokenSession session = AuthTokens::new_session(dice, {now_.wall.seconds - login});
    return tokens(kLimits).mint(session, "alice", {now_.wall.seconds - renewal});
  };
  const PlaneClient& stale = connect(at(1000), *client1_, with_password(token_from(5000, 2000)));
  EXPECT_EQ(stale.auth_failed, "SESSION: token expired");
  const PlaneClient& old = connect(at(1001), *client1_, with_password(token_from(10'000, 0)));
  EXPECT_EQ(old.auth_failed, "SESSION: token expired");
  const PlaneClient& good = connect(at(1002), *client1_, with_password(token_from(9'999, 1'999)));
  EXPECT_FALSE(good.auth_failed);
  EXPECT_TRUE(good.push);
}

TEST_F(ServerTokensTest, ATokenIsRenewedAloneBeforeItIsDue) {
  start_with_tokens();
  PlaneClient& client = connect(at(1000), *client1_, with_password("secret"));
  say_yes();
  const std::string first = token_of(client);

  pass(1001s);

  EXPECT_EQ(client.token_count, 2u);
  EXPECT_NE(token_of(client), first);
  EXPECT_EQ(judge(token_of(client)).state, TokenState::Authenticated);
  EXPECT_EQ(judge(token_of(client)).session, judge(first).session);
}

TEST_F(ServerTokensTest, ARenegotiationByATokenAsksNobodyAndRenewsIt) {
  start_with_tokens();
  PlaneClient& client = connect(at(1000), *client1_, with_password("secret"));
  say_yes();
  const std::string first = token_of(client);
  pass(60s);

  renegotiate(client);

  EXPECT_TRUE(say_yes().empty());
  EXPECT_EQ(client.keys.size(), 2u) << log_;
  EXPECT_EQ(client.token_count, 2u);
  EXPECT_EQ(judge(token_of(client)).session, judge(first).session);
}

TEST_F(ServerTokensTest, ALoginThatHasLastedItsTimeEndsAtARenegotiation) {
  config_.timers.renegotiate = 0s;
  start_with_tokens();
  PlaneClient& client = connect(at(1000), *client1_, with_password("secret"));
  say_yes();
  pass(9'990s);
  renegotiate(client);
  EXPECT_FALSE(client.auth_failed);
  pass(20s);
  renegotiate(client);
  EXPECT_EQ(client.auth_failed, "SESSION: token expired");
}

// B09. A good token, of the same user, but of another login.
TEST_F(ServerTokensTest, AChannelTakesTheTokensOfItsOwnLoginAlone) {
  start_with_tokens();
  PlaneClient& client = connect(at(1000), *client1_, with_password("secret"));
  say_yes();
  pass(60s);
  SeededRandom dice(3);
  client.token = tokens(kLimits).mint(AuthTokens::new_session(dice, now_.wall), "alice", now_.wall);

  renegotiate(client);

  EXPECT_EQ(client.auth_failed, "SESSION: token invalid");
}

// R14.
TEST_F(ServerTokensTest, AWallClockThatIsSetEndsNoSession) {
  start_with_tokens();
  PlaneClient& client = connect(at(1000), *client1_, with_password("secret"));
  say_yes();
  for (const std::int64_t by : {-86'400, 30 * 86'400}) {
    pass(60s);
    now_.wall.seconds += by;
    renegotiate(client);
    EXPECT_FALSE(client.auth_failed) << by;
  }
}

TEST_F(ServerTokensTest, AProgramThatJudgesTokensGetsThemAll) {
  config_.tokens.external = true;
  start_with_tokens();
  const PlaneClient& first = connect(at(1000), *client1_, with_password("secret"));
  const std::vector<PlaneQuestion> login = say_yes();
  ASSERT_EQ(login.size(), 1u);
  EXPECT_EQ(login[0].facts.session_state, "Initial");
  const std::string token = token_of(first);
  ASSERT_TRUE(judge(token).session);
  EXPECT_EQ(login[0].facts.session_id, judge(token).session->id_text());

  connect(at(1001), *client1_, with_password(token));
  const std::vector<PlaneQuestion> again = say_yes();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].facts.session_state, "Authenticated");
  EXPECT_EQ(again[0].facts.session_id, login[0].facts.session_id);
  EXPECT_EQ(again[0].password, token);
}

TEST_F(ServerTokensTest, WithoutTokensAPasswordOfThatLookIsOne) {
  config_.programs.password = {.words = {"/bin/true"}, .where = "server.conf:1"};
  start();
  SeededRandom dice(3);
  const std::string token =
      tokens(kLimits).mint(AuthTokens::new_session(dice, now_.wall), "alice", now_.wall);
  const PlaneClient& client = connect(at(1000), *client1_, with_password(token));
  EXPECT_EQ(say_yes().size(), 1u);
  EXPECT_EQ(client.token_count, 0u);
}

}  // namespace
}  // namespace ringway::test
