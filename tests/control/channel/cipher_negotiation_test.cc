#include "control/channel/cipher_negotiation.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr DataCipher kOurs[] = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm,
                                DataCipher::ChaCha20Poly1305};

std::optional<DataCipher> negotiate(std::string_view peer_info, std::string_view options = "V4") {
  return negotiate_cipher(kOurs, std::nullopt, PeerInfo::parse(peer_info), options);
}

TEST(CipherNegotiation, TakesTheServersOrder) {
  EXPECT_EQ(negotiate("IV_CIPHERS=CHACHA20-POLY1305:AES-128-GCM"), DataCipher::Aes128Gcm);
  EXPECT_EQ(negotiate("IV_CIPHERS=chacha20-poly1305"), DataCipher::ChaCha20Poly1305);
}

TEST(CipherNegotiation, TakesIvNcpForAesGcmWhenThereIsNoList) {
  EXPECT_EQ(negotiate("IV_NCP=2"), DataCipher::Aes256Gcm);
  EXPECT_EQ(negotiate("IV_NCP=2\nIV_CIPHERS=CHACHA20-POLY1305"), DataCipher::ChaCha20Poly1305);
  EXPECT_EQ(negotiate("IV_NCP=1"), std::nullopt);
  EXPECT_EQ(negotiate("IV_NCP=x"), std::nullopt);
}

TEST(CipherNegotiation, TakesTheStaticCipherOfAClientWithoutList) {
  EXPECT_EQ(negotiate("", "V4,cipher AES-128-GCM,auth SHA1"), DataCipher::Aes128Gcm);
  EXPECT_EQ(negotiate("IV_CIPHERS=BF-CBC", "V4,cipher AES-128-GCM,auth SHA1"), std::nullopt)
      << "the list speaks for itself";
}

// Security goal B06.
TEST(CipherNegotiation, FindsNothingInEmptyForeignOrEndlessLists) {
  EXPECT_EQ(negotiate(""), std::nullopt);
  EXPECT_EQ(negotiate("IV_CIPHERS="), std::nullopt);
  EXPECT_EQ(negotiate("IV_CIPHERS=:::none:AES-256-CBC:"), std::nullopt);
  EXPECT_EQ(negotiate("", "V4,cipher [null-cipher]"), std::nullopt);
  PeerInfo endless;
  std::string list;
  for (std::size_t i = 0; i < kCipherNamesMax; ++i) list += "x:";
  endless.set("IV_CIPHERS", list + "AES-256-GCM");
  EXPECT_EQ(negotiate_cipher(kOurs, std::nullopt, endless, ""), std::nullopt);
}

TEST(CipherNegotiation, FallsBackForAClientThatTellsNothingAndForNoOther) {
  const auto with_fallback = [](std::string_view peer_info, std::string_view options) {
    return negotiate_cipher(kOurs, DataCipher::ChaCha20Poly1305, PeerInfo::parse(peer_info),
                            options);
  };

  EXPECT_EQ(with_fallback("IV_PROTO=2", "V0 UNDEF"), DataCipher::ChaCha20Poly1305);
  EXPECT_EQ(with_fallback("", ""), DataCipher::ChaCha20Poly1305);
  EXPECT_EQ(with_fallback("", "V4,cipher BF-CBC"), std::nullopt);
  EXPECT_EQ(with_fallback("", "V4,cipher AES-128-GCM"), DataCipher::Aes128Gcm);
  EXPECT_EQ(with_fallback("IV_CIPHERS=BF-CBC", "V0 UNDEF"), std::nullopt);
  EXPECT_EQ(with_fallback("IV_NCP=2", "V0 UNDEF"), DataCipher::Aes256Gcm);
}

TEST(CipherNegotiation, PushesACipherOnlyToClientsThatTakeOne) {
  EXPECT_TRUE(takes_pushed_cipher(PeerInfo::parse("IV_CIPHERS=AES-256-GCM")));
  EXPECT_TRUE(takes_pushed_cipher(PeerInfo::parse("IV_NCP=2")));
  EXPECT_FALSE(takes_pushed_cipher(PeerInfo::parse("IV_PROTO=2")));
}

TEST(CipherNegotiation, ExportsKeysForClientsFrom26On) {
  EXPECT_TRUE(takes_tls_key_export(PeerInfo::parse("IV_PROTO=990")));
  EXPECT_FALSE(takes_tls_key_export(PeerInfo::parse("IV_PROTO=6")));
}

TEST(CipherNegotiation, HasTheEpochFormatForWhoCanBeToldOfIt) {
  EXPECT_TRUE(takes_data_epochs(PeerInfo::parse("IV_PROTO=8094")));   // 2.7
  EXPECT_FALSE(takes_data_epochs(PeerInfo::parse("IV_PROTO=7070")));  // 2.7 with DCO
  EXPECT_FALSE(takes_data_epochs(PeerInfo::parse("IV_PROTO=990")));   // 2.6
  EXPECT_FALSE(takes_data_epochs(PeerInfo::parse("IV_PROTO=8092")));  // without DATA_V2
  EXPECT_FALSE(takes_data_epochs(PeerInfo::parse("IV_PROTO=8086")));  // without key export
  EXPECT_FALSE(takes_data_epochs(PeerInfo::parse("IV_PROTO=7966")));  // without protocol-flags
}

TEST(CipherNegotiation, WritesAListAsClientsAnnounceIt) {
  EXPECT_EQ(cipher_list_text(kOurs), "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305");
  EXPECT_EQ(cipher_list_text({}), "");
}

}  // namespace
}  // namespace ringway
