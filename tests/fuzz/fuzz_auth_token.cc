// A user's name and a password, separated by a line end, at a server that makes tokens: what is not
// made with the secret is never believed, and what is, is.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "control/auth_token.h"
#include "tests/support/seeded_random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  static test::SeededRandom random(1);
  static const AuthTokens tokens = AuthTokens::make(random, {.lifetime = 7200s});
  constexpr UnixTime kNow{1'796'000'000};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  const std::string_view username = input.substr(0, end);
  const std::string_view password = end == input.npos ? "" : input.substr(end + 1);
  if (AuthTokens::is_token(password)) {
    RW_ASSERT(tokens.judge(password, username, kNow).state == TokenState::Invalid);
  }
  const auto parsed = AuthTokens::parse(input, "fuzz", {});
  const AuthTokens& mint = parsed ? *parsed : tokens;
  const TokenSession session{.initial = kNow};
  const std::string token = mint.mint(session, username, kNow);
  RW_ASSERT(AuthTokens::is_token(token));
  const auto verdict = mint.judge(token, username, kNow);
  RW_ASSERT(verdict.state == TokenState::Authenticated);
  RW_ASSERT(verdict.session == session);
  return 0;
}
