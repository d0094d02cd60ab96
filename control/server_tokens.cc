#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/secret.h"
#include "control/server_role.h"

/// `auth-gen-token`: after a login the client holds a token, which answers in the password's place.
namespace ringway {
namespace {

bool is_in_force(TokenState state) {
  return state == TokenState::Authenticated || state == TokenState::AuthenticatedEmptyUser;
}

bool is_expired(TokenState state) {
  return state == TokenState::Expired || state == TokenState::ExpiredEmptyUser;
}

Refusal token_refusal(TokenState state) {
  // Behind SESSION a client drops the token, and asks for the password again.
  if (is_expired(state)) {
    return {.for_client = "SESSION: token expired", .for_log = "its auth-token has expired"};
  }
  return {.for_client = "SESSION: token invalid",
          .for_log = "its auth-token is not one that it was given"};
}

/// On the channel that the token was given on, its age is told by a clock that nobody sets (R14),
/// and whether it was renewed is known.
TokenState on_own_channel(TokenState state, bool is_over) {
  switch (state) {
    case TokenState::Authenticated:
    case TokenState::Expired: return is_over ? TokenState::Expired : TokenState::Authenticated;
    case TokenState::AuthenticatedEmptyUser:
    case TokenState::ExpiredEmptyUser:
      return is_over ? TokenState::ExpiredEmptyUser : TokenState::AuthenticatedEmptyUser;
    case TokenState::Initial:
    case TokenState::Invalid: break;
  }
  return state;
}

}  // namespace

void ServerRole::set_tokens(AuthTokens tokens, RandomSource& random) {
  tokens_.emplace(std::move(tokens));
  random_ = &random;
}

/// True when the password was a token and is good; false when somebody has to be asked. From here
/// on the client has a session (`client.token`), where there are tokens.
std::expected<bool, Refusal> ServerRole::judge_token(Client& client, Now now) {
  if (!tokens_) return false;
  Inquiry& inquiry = *client.inquiry;
  AuthTokens::Verdict verdict{.state = TokenState::Initial, .session = std::nullopt};
  const bool is_token = AuthTokens::is_token(inquiry.password);
  if (is_token) verdict = tokens_->judge(inquiry.password, inquiry.username, now.wall);
  if (client.token && verdict.session) {
    const bool is_own = client.token->id == verdict.session->id;
    const bool is_over = client.token_ends && *client.token_ends <= now.instant;
    verdict.state = is_own ? on_own_channel(verdict.state, is_over) : TokenState::Invalid;
  }
  inquiry.token_state = verdict.state;
  if (!client.token) {
    begin_token_session(
        client,
        is_in_force(verdict.state) ? *verdict.session : AuthTokens::new_session(*random_, now.wall),
        now);
  }
  // Whoever judges tokens by a program of its own gets them all, with what is known of them.
  if (!is_token || config_.tokens.external) return false;
  if (verdict.state != TokenState::Authenticated) {
    return std::unexpected(token_refusal(verdict.state));
  }
  wipe({reinterpret_cast<std::uint8_t*>(inquiry.password.data()), inquiry.password.size()});
  inquiry.password.clear();
  return true;
}

void ServerRole::begin_token_session(Client& client, const TokenSession& session, Now now) {
  client.token = session;
  const Duration lifetime = tokens_->limits().lifetime;
  if (lifetime == Duration{0}) return;
  // A login in the future is one of another server, whose clock is ahead.
  const Duration age =
      std::chrono::seconds(std::max<std::int64_t>(now.wall.seconds - session.initial.seconds, 0));
  client.token_ends = now.instant + (lifetime - age);
}

/// What a PUSH_REPLY says of it; nothing to a client without a name.
std::optional<std::string> ServerRole::token_option(const Client& client, Now now) const {
  if (!tokens_ || !client.token || client.identity.username.empty()) return std::nullopt;
  return "auth-token " + tokens_->mint(*client.token, client.identity.username, now.wall);
}

void ServerRole::renew_token(Client& client, Now now) {
  client.token_due.reset();
  const std::optional<std::string> option = token_option(client, now);
  if (!option || client.stage != Client::Stage::Connected) return;
  client.token_due = now.instant + tokens_->limits().renewal;
  // Nothing but the token: some clients would open their device anew for more.
  if (client.pushed_at) client.channel.send_push_reply({.options = {*option}}, now);
}

}  // namespace ringway
