#include "control/key_files.h"

#include <algorithm>
#include <vector>

#include "base/base64.h"

namespace ringway {
namespace {

std::string make_pem(PemKey kind, RandomSource& random) {
  Secret<TlsCryptV2ServerKey::kSize> raw;
  random.fill(raw.mutable_bytes());
  return pem_key_text(kind, raw.bytes());
}

Result<KeyMetadata> read_metadata(std::string_view text) {
  constexpr std::string_view kWhere = "metadata";
  const std::optional<std::vector<std::uint8_t>> body = decode_base64(text);
  if (!body) {
    return fail("the metadata is no base64", std::string(kWhere),
                "encode it first: printf %s TEXT | base64 -w 0");
  }
  if (body->size() >= kKeyMetadataSizeMax) {
    return fail("the metadata has " + std::to_string(body->size()) + " bytes", std::string(kWhere),
                "give " + std::to_string(kKeyMetadataSizeMax - 1) + " bytes at most");
  }
  return KeyMetadata::user(*body);
}

}  // namespace

std::string make_static_key_file(RandomSource& random) {
  Secret<StaticKey::kSize> raw;
  random.fill(raw.mutable_bytes());
  return StaticKey::from_bytes(raw.bytes()).to_text();
}

std::string make_tls_crypt_v2_server_file(RandomSource& random) {
  return make_pem(PemKey::TlsCryptV2Server, random);
}

std::string make_auth_token_file(RandomSource& random) {
  return make_pem(PemKey::AuthToken, random);
}

Result<std::string> make_tls_crypt_v2_client_file(std::string_view server_pem,
                                                  std::string_view server_where,
                                                  std::optional<std::string_view> metadata,
                                                  RandomSource& random, UnixTime now) {
  const auto server = TlsCryptV2ServerKey::parse(server_pem, server_where);
  if (!server) return std::unexpected(server.error());
  const Result<KeyMetadata> content =
      metadata ? read_metadata(*metadata) : Result<KeyMetadata>(KeyMetadata::timestamp(now));
  if (!content) return std::unexpected(content.error());

  // The key, and behind it its wrapped form.
  Secret<StaticKey::kSize + kWrappedKeySizeMax> file;
  const MutableBytes raw = file.mutable_bytes();
  random.fill(raw.first(StaticKey::kSize));
  const auto wrapped = server->wrap(StaticKey::from_bytes(raw.first(StaticKey::kSize)), *content);
  std::ranges::copy(wrapped, raw.begin() + StaticKey::kSize);
  return pem_key_text(PemKey::TlsCryptV2Client, raw.first(StaticKey::kSize + wrapped.size()));
}

}  // namespace ringway
