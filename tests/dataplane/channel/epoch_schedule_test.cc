#include "dataplane/channel/epoch_schedule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/hex.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::to_hex;

TEST(EpochSchedule, ExpandsALabelAsOpenvpnDoes) {
  const auto vector = test::load_vector("ovpn-expand-label");
  std::array<std::uint8_t, 16> out{};

  expand_label(vector.bytes("secret"), "unit test", out);

  EXPECT_EQ(to_hex(out), vector.text("out"));
}

struct Row {
  int epoch;
  const char* key;
  const char* iv;
};

void expect_rows(std::size_t secret_at, const std::vector<Row>& rows) {
  const auto block = test::load_vector("epoch-keys").bytes("datakeys_256");
  EpochSchedule schedule(Bytes(block).subspan(secret_at, EpochSchedule::kSecretSize));
  for (const Row& row : rows) {
    while (schedule.epoch() < row.epoch) schedule.advance();
    const EpochSchedule::Keys keys = schedule.derive(DataCipher::Aes256Gcm);
    EXPECT_EQ(to_hex(keys.key.bytes()), row.key) << row.epoch;
    EXPECT_EQ(to_hex(keys.iv), row.iv) << row.epoch;
  }
}

// The first four epochs of a session of OpenVPN 2.7.6 (the vector "epoch-keys").
TEST(EpochSchedule, GivesTheKeysOfACapturedClient) {
  expect_rows(0, {{1, "5fafdd83d5fc6e7a504a84d1f3911a7f57d5452c139c2266bd9dde11fd31435d",
                   "31c049b1a64458ad6228a229"},
                  {2, "72378a5c7eab73c5d67980cdddf4f42721c8f02af0b1ed7f0dc24e56901a45f8",
                   "881f7f4fb9fa3699d697593e"},
                  {3, "339a916e802e8e89aa8767b08cc3caa2f8ac8ddd71589616b3df4330f9cbe3f6",
                   "0a4f7c11d794ebc78897202b"},
                  {4, "184c49a1558453c346536666a05ebba1d90486564d0237648344375bbcc71f63",
                   "f6056a6a3e76ff7f8f820e23"}});
}

TEST(EpochSchedule, GivesTheKeysOfACapturedServer) {
  expect_rows(128, {{1, "7c6a71593c590ee76659a1d431d233cf8bc2001fed2fb9edf309146f354cc916",
                     "bb35727c584fda8a3d9d6e39"},
                    {2, "6519c7aee088cb0ad6ff7a4c71464fcff20639745cc209ea4855f9f2dab34dd4",
                     "3b43df5e8ac268fdf5f571ff"},
                    {3, "88661ed2963481b64a2d28e9098aaf97f58351548b70f694117993101f61ff31",
                     "0f3ab9c3907b3ba16bf29333"},
                    {4, "a0fd46707aef05c4f8ecb3f087d2f859a8ae8e23d2547b6c16ec01e6605a2ae4",
                     "be8905a867eb880b7c3f2a25"}});
}

TEST(EpochSchedule, AgreesWithTheUnitTestOfOpenvpn) {
  const auto vector = test::load_vector("unit-test-aead-epoch4");
  EpochSchedule schedule(vector.bytes("E1"));
  for (int i = 1; i < 4; ++i) schedule.advance();

  const EpochSchedule::Keys keys = schedule.derive(DataCipher::Aes256Gcm);

  EXPECT_EQ(to_hex(keys.key.bytes()), vector.text("key"));
  EXPECT_EQ(to_hex(keys.iv), vector.text("implicit_iv"));
}

// The size of the key is part of what is hashed, so that a short key is no head of a long one.
TEST(EpochSchedule, GivesEachCipherAKeyOfItsOwn) {
  const std::vector<std::uint8_t> secret(EpochSchedule::kSecretSize, 7);
  const EpochSchedule schedule{Bytes(secret)};

  const EpochSchedule::Keys small = schedule.derive(DataCipher::Aes128Gcm);
  const EpochSchedule::Keys large = schedule.derive(DataCipher::Aes256Gcm);

  EXPECT_NE(to_hex(small.key.bytes().first(16)), to_hex(large.key.bytes().first(16)));
  EXPECT_EQ(to_hex(small.iv), to_hex(large.iv));
}

TEST(EpochSchedule, LeavesNothingInTheArena) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    const std::vector<std::uint8_t> secret(EpochSchedule::kSecretSize, 7);
    EpochSchedule schedule{Bytes(secret)};
    for (int i = 0; i < 100; ++i) schedule.advance();
    EXPECT_EQ(SecretArena::slots_in_use(), before + 1);
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

}  // namespace
}  // namespace ringway
