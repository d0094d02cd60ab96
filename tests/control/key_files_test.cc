#include "control/key_files.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <string>

#include "dataplane/admission/static_key.h"
#include "tests/support/hex.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::to_hex;

constexpr UnixTime kNow{1'767'225'600};

class KeyFiles : public ::testing::Test {
 protected:
  Result<std::string> client_file(std::string_view server,
                                  std::optional<std::string_view> metadata = std::nullopt) {
    return make_tls_crypt_v2_client_file(server, "server.key", metadata, random_, kNow);
  }
  test::SeededRandom random_{7};
};

TEST_F(KeyFiles, MakesStaticKeysThatAreReadAgain) {
  const std::string text = make_static_key_file(random_);
  const auto key = StaticKey::parse(text, "ta.key");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->to_text(), text);
  EXPECT_EQ(std::ranges::count(text, '\n'), 3 + 1 + 16 + 1);
  EXPECT_NE(make_static_key_file(random_), text);
}

TEST_F(KeyFiles, MakesAClientKeyThatItsServerUnwraps) {
  const std::string server_file = make_tls_crypt_v2_server_file(random_);
  const auto file = client_file(server_file);
  ASSERT_TRUE(file);

  const auto server = TlsCryptV2ServerKey::parse(server_file, "s");
  const auto client = TlsCryptV2ClientKey::parse(*file, "c");
  ASSERT_TRUE(server && client);
  const auto unwrapped = server->unwrap(client->wrapped);
  ASSERT_TRUE(unwrapped);
  EXPECT_EQ(to_hex(unwrapped->key.bytes()), to_hex(client->key.bytes()));
  EXPECT_EQ(unwrapped->metadata.made_at(), kNow);
}

TEST_F(KeyFiles, KeepsTheMetadataThatItIsGiven) {
  const std::string server_file = make_tls_crypt_v2_server_file(random_);
  const auto file = client_file(server_file, "QUJDREVGR0g=");
  ASSERT_TRUE(file);
  const auto client = TlsCryptV2ClientKey::parse(*file, "c");
  const auto unwrapped = TlsCryptV2ServerKey::parse(server_file, "s")->unwrap(client->wrapped);
  ASSERT_TRUE(unwrapped);
  EXPECT_EQ(to_hex(unwrapped->metadata.view()), "004142434445464748");
}

TEST_F(KeyFiles, SaysWhatIsWrongWithServerKeyOrMetadata) {
  EXPECT_EQ(client_file("no key").error().where, "server.key");
  const std::string server_file = make_tls_crypt_v2_server_file(random_);
  EXPECT_EQ(client_file(server_file, "not base64!").error().what, "the metadata is no base64");
  const std::string too_long((kKeyMetadataSizeMax + 2) / 3 * 4, 'A');
  EXPECT_NE(client_file(server_file, too_long).error().advice.find("at most"), std::string::npos);
}

TEST_F(KeyFiles, MakesAnAuthTokenKeyInItsOwnFormat) {
  const std::string text = make_auth_token_file(random_);
  EXPECT_TRUE(text.starts_with("-----BEGIN OpenVPN auth-token server key-----\n"));
  EXPECT_TRUE(text.ends_with("-----END OpenVPN auth-token server key-----\n"));
}

}  // namespace
}  // namespace ringway
