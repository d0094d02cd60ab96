#include "control/auth_token.h"

#include <gtest/gtest.h>

#include "control/key_files.h"
#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

constexpr UnixTime kLogin{1'795'000'000};
constexpr UnixTime later(std::int64_t seconds) { return {kLogin.seconds + seconds}; }

struct Mint {
  explicit Mint(TokenLimits limits = {}) : tokens(AuthTokens::make(random, limits)) {}
  test::SeededRandom random{7};
  AuthTokens tokens;
  TokenSession session = AuthTokens::new_session(random, kLogin);
};

TEST(AuthTokens, AreThoseOfOpenVpn) {
  for (const char* id : {"auth-token-0", "auth-token-1"}) {
    const auto vector = test::load_vector(id);
    const auto tokens = AuthTokens::parse(vector.text("secret_pem"), "here", {});
    ASSERT_TRUE(tokens.has_value());
    const UnixTime made{static_cast<std::int64_t>(load_be64(vector.bytes("time_be64").data()))};

    const auto verdict = tokens->judge(vector.text("token"), "alice", made);

    EXPECT_EQ(verdict.state, TokenState::Authenticated) << id;
    ASSERT_TRUE(verdict.session);
    EXPECT_EQ(tokens->mint(*verdict.session, "alice", made), vector.text("token")) << id;
    EXPECT_EQ(tokens->judge(vector.text("token"), "bob", made).state, TokenState::Invalid);
  }
}

TEST(AuthTokens, LiveForTwoRenewals) {
  const Mint mint({.renewal = 100s});
  const std::string token = mint.tokens.mint(mint.session, "alice", kLogin);
  const auto state = [&](std::int64_t seconds) {
    return mint.tokens.judge(token, "alice", later(seconds)).state;
  };
  EXPECT_EQ(state(0), TokenState::Authenticated);
  EXPECT_EQ(state(199), TokenState::Authenticated);
  EXPECT_EQ(state(200), TokenState::Expired);
  EXPECT_EQ(state(-1), TokenState::Expired) << "one from the future";
  const std::string renewed = mint.tokens.mint(mint.session, "alice", later(150));
  EXPECT_EQ(mint.tokens.judge(renewed, "alice", later(340)).state, TokenState::Authenticated);
}

TEST(AuthTokens, DieAtTheEndOfTheirLifetimeHoweverOftenTheyWereRenewed) {
  const Mint mint({.lifetime = 300s, .renewal = 100s});
  const std::string token = mint.tokens.mint(mint.session, "alice", later(250));
  EXPECT_EQ(mint.tokens.judge(token, "alice", later(299)).state, TokenState::Authenticated);
  EXPECT_EQ(mint.tokens.judge(token, "alice", later(300)).state, TokenState::Expired);
}

TEST(AuthTokens, KnowThoseThatWereMadeForNobody) {
  const Mint mint({.renewal = 100s});
  const std::string token = mint.tokens.mint(mint.session, "", kLogin);
  EXPECT_EQ(mint.tokens.judge(token, "alice", kLogin).state, TokenState::AuthenticatedEmptyUser);
  EXPECT_EQ(mint.tokens.judge(token, "alice", later(500)).state, TokenState::ExpiredEmptyUser);
  EXPECT_EQ(mint.tokens.judge(token, "", kLogin).state, TokenState::Authenticated);
}

// Security goal B09, CVE-2026-13122.
TEST(AuthTokens, AreInvalidWhenAnythingWasChanged) {
  const Mint mint;
  const std::string token = mint.tokens.mint(mint.session, "alice", kLogin);
  ASSERT_TRUE(AuthTokens::is_token(token));
  for (std::size_t i = 11; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(mint.tokens.judge(changed, "alice", kLogin).state, TokenState::Invalid) << i;
  }
  test::SeededRandom other_dice{8};
  const AuthTokens others = AuthTokens::make(other_dice, {});
  EXPECT_EQ(others.judge(token, "alice", kLogin).state, TokenState::Invalid);
  EXPECT_FALSE(mint.tokens.judge(token.substr(0, 90), "alice", kLogin).session);
}

TEST(AuthTokens, AreToldFromPasswordsByTheirLook) {
  EXPECT_FALSE(AuthTokens::is_token(""));
  EXPECT_FALSE(AuthTokens::is_token("SESS_ID_AT_"));
  EXPECT_FALSE(AuthTokens::is_token(std::string(91, 'x')));
  EXPECT_TRUE(AuthTokens::is_token("SESS_ID_AT_" + std::string(80, 'x')));
  EXPECT_FALSE(AuthTokens::is_token("SESS_ID_AT_" + std::string(81, 'x')));
}

TEST(AuthTokens, ReadTheFileOfGenkey) {
  test::SeededRandom random{9};
  const std::string file = make_auth_token_file(random);
  EXPECT_TRUE(AuthTokens::parse(file, "here", {}).has_value());
  for (const std::string& broken :
       {std::string(), file.substr(0, file.size() / 2), make_tls_crypt_v2_server_file(random)}) {
    const auto tokens = AuthTokens::parse(broken, "server.conf:7", {});
    ASSERT_FALSE(tokens.has_value());
    EXPECT_EQ(tokens.error().where, "server.conf:7");
  }
}

}  // namespace
}  // namespace ringway
