#include "control/auth_token.h"

#include <algorithm>
#include <vector>

#include "base/base64.h"
#include "base/check.h"
#include "base/secret.h"

namespace ringway {
namespace {

constexpr std::string_view kPrefix = "SESS_ID_AT_";
constexpr std::size_t kIdSize = 12;
constexpr std::size_t kTimeSize = 8;
constexpr std::size_t kMacSize = 32;
constexpr std::size_t kSignedSize = kIdSize + 2 * kTimeSize;
constexpr std::size_t kBodySize = kSignedSize + kMacSize;

/// The send half of the second key of a secret: OpenVPN keeps it as it keeps static keys.
constexpr std::size_t kKeyOffset = 64;

/// Seconds that a clock may show; what is beyond is no time, and must not overflow a sum.
constexpr std::uint64_t kTimeMax = std::uint64_t{1} << 40;

std::string_view pem_body(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN OpenVPN auth-token server key-----";
  constexpr std::string_view kEnd = "-----END OpenVPN auth-token server key-----";
  const std::size_t begin = pem.find(kBegin);
  if (begin == pem.npos) return {};
  const std::string_view rest = pem.substr(begin + kBegin.size());
  const std::size_t end = rest.find(kEnd);
  return end == rest.npos ? std::string_view() : rest.substr(0, end);
}

}  // namespace

std::string_view name_of(TokenState state) {
  switch (state) {
    case TokenState::Initial: return "Initial";
    case TokenState::Authenticated: return "Authenticated";
    case TokenState::Expired: return "Expired";
    case TokenState::Invalid: return "Invalid";
    case TokenState::AuthenticatedEmptyUser: return "AuthenticatedEmptyUser";
    case TokenState::ExpiredEmptyUser: return "ExpiredEmptyUser";
  }
  return "";
}

std::string TokenSession::id_text() const { return encode_base64(id); }

AuthTokens::AuthTokens(Bytes secret, TokenLimits limits)
    : key_(secret.subspan(kKeyOffset, kMacSize), Digest::Sha256), limits_(limits) {
  RW_ASSERT(secret.size() == kSecretSize);
}

Result<AuthTokens> AuthTokens::parse(std::string_view pem, const std::string& where,
                                     TokenLimits limits) {
  std::optional<std::vector<std::uint8_t>> raw = decode_base64(pem_body(pem));
  if (!raw || raw->size() != kSecretSize) {
    return fail("this is no \"OpenVPN auth-token server key\" of 128 bytes", where,
                "make one with `ringway genkey auth-token FILE`");
  }
  AuthTokens tokens(*raw, limits);
  wipe(*raw);
  return tokens;
}

AuthTokens AuthTokens::make(RandomSource& random, TokenLimits limits) {
  Secret<kSecretSize> secret;
  random.fill(secret.mutable_bytes());
  return AuthTokens(secret.bytes(), limits);
}

TokenSession AuthTokens::new_session(RandomSource& random, UnixTime now) {
  TokenSession session{.initial = now};
  random.fill(session.id);
  return session;
}

bool AuthTokens::is_token(std::string_view password) {
  return password.size() == kSize && password.starts_with(kPrefix);
}

std::string AuthTokens::mint(const TokenSession& session, std::string_view username,
                             UnixTime now) const {
  std::array<std::uint8_t, kBodySize> body{};
  std::ranges::copy(session.id, body.begin());
  store_be64(&body[kIdSize], static_cast<std::uint64_t>(session.initial.seconds));
  store_be64(&body[kIdSize + kTimeSize], static_cast<std::uint64_t>(now.seconds));
  const MutableBytes all(body);
  key_.compute({bytes_of(username), all.first(kSignedSize)}, all.last(kMacSize));
  return std::string(kPrefix) + encode_base64(body);
}

AuthTokens::Verdict AuthTokens::judge(std::string_view token, std::string_view username,
                                      UnixTime now) const {
  const auto body = decode_base64(token.substr(std::min(kPrefix.size(), token.size())));
  if (!body || body->size() != kBodySize) return {};
  const Bytes all(*body);
  const Bytes signed_part = all.first(kSignedSize);
  const bool is_named = key_.verify({bytes_of(username), signed_part}, all.last(kMacSize));
  // OpenVPN 3 makes up a name where the user gave none.
  const bool is_empty = key_.verify({signed_part}, all.last(kMacSize));
  if (!is_named && !is_empty) return {};

  const std::uint64_t initial = load_be64(&all[kIdSize]);
  const std::uint64_t renewed = load_be64(&all[kIdSize + kTimeSize]);
  if (initial > kTimeMax || renewed > kTimeMax || now.seconds < 0) return {};
  TokenSession session{.initial = {static_cast<std::int64_t>(initial)}};
  std::ranges::copy(all.first(kIdSize), session.id.begin());
  const auto present = static_cast<std::uint64_t>(now.seconds);
  const auto seconds = [](Duration time) { return static_cast<std::uint64_t>(time / 1s); };
  const bool is_renewed = renewed <= present && present < renewed + 2 * seconds(limits_.renewal);
  const bool is_alive =
      limits_.lifetime == Duration{0} || present < initial + seconds(limits_.lifetime);
  if (is_renewed && is_alive) {
    return {is_named ? TokenState::Authenticated : TokenState::AuthenticatedEmptyUser, session};
  }
  return {is_named ? TokenState::Expired : TokenState::ExpiredEmptyUser, session};
}

}  // namespace ringway
