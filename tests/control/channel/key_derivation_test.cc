#include "control/channel/key_derivation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::load_vector;
using test::to_hex;

KeySource source_of(const test::Vector& vector, const std::string& who) {
  KeySource source;
  const MutableBytes material = source.material.mutable_bytes();
  if (who == "client") {
    std::ranges::copy(vector.bytes("client_pre_master"), material.begin());
  }
  std::ranges::copy(vector.bytes(who + "_random1"),
                    material.subspan(KeySource::kPreMasterSize).begin());
  std::ranges::copy(vector.bytes(who + "_random2"),
                    material.subspan(KeySource::kPreMasterSize + KeySource::kRandomSize).begin());
  return source;
}

SessionId session_of(const test::Vector& vector, const std::string& name) {
  SessionId id;
  std::ranges::copy(vector.bytes(name), id.bytes.begin());
  return id;
}

KeyBlock block_of(const test::Vector& vector, const std::string& name) {
  return KeyBlock(vector.bytes(name));
}

TEST(KeyDerivation, ComputesThePrfOfRealSessions) {
  for (const char* id : {"prf-aes256gcm", "prf-chacha", "prf-aes256cbc"}) {
    SCOPED_TRACE(id);
    const test::Vector vector = load_vector(id);

    const auto block = derive_by_prf(source_of(vector, "client"), source_of(vector, "server"),
                                     {.client = session_of(vector, "client_session_id"),
                                      .server = session_of(vector, "server_session_id")});

    ASSERT_TRUE(block.has_value());
    EXPECT_EQ(to_hex(block->bytes()), vector.text("key2_256"));
  }
}

TEST(KeyDerivation, MixesInBothSessionIds) {
  const test::Vector vector = load_vector("prf-aes256gcm");
  const auto block = derive_by_prf(source_of(vector, "client"), source_of(vector, "server"),
                                   {.client = session_of(vector, "server_session_id"),
                                    .server = session_of(vector, "client_session_id")});
  EXPECT_NE(to_hex(block->bytes()), vector.text("key2_256"));
}

// The keys of captured packets, whose tags other tests verify, are where the split says they are.
TEST(KeyDerivation, SplitsTheBlockOfARealSessionIntoTheKeysOfItsPackets) {
  const KeyBlock block = block_of(load_vector("tls-ekm"), "datakeys_256");
  const test::Vector upward = load_vector("data-v2-aes-128-gcm-ekm-c2s-0");
  const test::Vector downward = load_vector("data-v2-aes-128-gcm-ekm-s2c-0");
  const DataCipher cipher = DataCipher::Aes128Gcm;

  const auto server = split_key_block(block, Side::Server, KeyId{3}, cipher);
  const auto client = split_key_block(block, Side::Client, KeyId{3}, cipher);

  ASSERT_TRUE(server && client);
  EXPECT_EQ(server->key_id, KeyId{3});
  EXPECT_EQ(server->cipher, cipher);
  EXPECT_EQ(to_hex(server->open.cipher_key(cipher)), upward.text("key"));
  EXPECT_EQ(to_hex(server->open.implicit_iv()), upward.text("implicit_iv"));
  EXPECT_EQ(to_hex(server->seal.cipher_key(cipher)), downward.text("key"));
  EXPECT_EQ(to_hex(server->seal.implicit_iv()), downward.text("implicit_iv"));
  EXPECT_EQ(to_hex(client->seal.material.bytes()), to_hex(server->open.material.bytes()));
  EXPECT_EQ(to_hex(client->open.material.bytes()), to_hex(server->seal.material.bytes()));
}

TEST(KeyDerivation, RefusesAnAllZeroKey) {
  KeyBlock block;
  EXPECT_FALSE(split_key_block(block, Side::Server, KeyId{0}, DataCipher::Aes256Gcm));
  block.mutable_bytes()[0] = 1;
  EXPECT_FALSE(split_key_block(block, Side::Server, KeyId{0}, DataCipher::Aes256Gcm));
  block.mutable_bytes()[128] = 1;
  EXPECT_TRUE(split_key_block(block, Side::Server, KeyId{0}, DataCipher::Aes256Gcm));
}

TEST(KeyDerivation, LeavesNoSecretBehind) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    const test::Vector vector = load_vector("prf-chacha");
    const auto block = derive_by_prf(source_of(vector, "client"), source_of(vector, "server"), {});
    EXPECT_GT(SecretArena::slots_in_use(), before);
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

}  // namespace
}  // namespace ringway
