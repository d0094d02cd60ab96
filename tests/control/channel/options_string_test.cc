#include "control/channel/options_string.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

std::string captured(const char* id, const char* who) {
  std::string text = test::load_vector(id).texts(who)[0];
  text.pop_back();
  return text;
}

TEST(OptionsString, SaysWhatStockPeersSay) {
  EXPECT_EQ(OptionsString{}.to_string(), captured("key-method-2-2.6.14", "server_strings"));
  EXPECT_EQ((OptionsString{.side = Side::Client}).to_string(),
            captured("key-method-2-2.6.14", "client_strings"));
  EXPECT_EQ((OptionsString{.tls_auth = true, .key_direction = 0}).to_string(),
            captured("key-method-2-2.5.11", "server_strings"));
}

TEST(OptionsString, AnswersAFramingForCompressionInKind) {
  EXPECT_TRUE(frames_compression("V4,dev-type tun,comp-lzo,auth SHA1"));
  EXPECT_FALSE(frames_compression("V4,dev-type tun,auth SHA1"));
  EXPECT_EQ(with_compression_framing("V4,dev-type tun,link-mtu 1541,tun-mtu 1500"),
            "V4,dev-type tun,link-mtu 1542,tun-mtu 1500,comp-lzo");
  EXPECT_EQ(with_compression_framing("V4"), "V4,comp-lzo");
}

TEST(OptionsString, NamesTheEndOfATcpConnection) {
  EXPECT_EQ((OptionsString{.is_tcp = true}).to_string(),
            "V4,dev-type tun,link-mtu 1543,tun-mtu 1500,proto TCPv4_SERVER,auth SHA1,keysize 128,"
            "key-method 2,tls-server");
  EXPECT_EQ((OptionsString{.side = Side::Client, .is_tcp = true}).to_string(),
            "V4,dev-type tun,link-mtu 1543,tun-mtu 1500,proto TCPv4_CLIENT,auth SHA1,keysize 128,"
            "key-method 2,tls-client");
}

TEST(OptionsString, NamesNoDigestNextToAnAead) {
  EXPECT_EQ((OptionsString{.fallback_cipher = DataCipher::Aes256Gcm}).to_string(),
            "V4,dev-type tun,link-mtu 1549,tun-mtu 1500,proto UDPv4,cipher AES-256-GCM,"
            "auth [null-digest],keysize 256,key-method 2,tls-server");
}

TEST(OptionsString, CountsTheDigestAndTheMtuInTheLinkMtu) {
  EXPECT_EQ((OptionsString{.tun_mtu = 1400, .auth = Digest::Sha256}).to_string(),
            "V4,dev-type tun,link-mtu 1453,tun-mtu 1400,proto UDPv4,auth SHA256,keysize 128,"
            "key-method 2,tls-server");
}

TEST(OptionsString, PutsTheKeyDirectionBehindTheProto) {
  const std::string whole = captured("key-method-2-2.5.11", "server_strings");
  std::string without = whole;
  without.erase(without.find(",keydir 0"), 9);
  EXPECT_EQ(with_key_direction(without, 0), whole);
  EXPECT_EQ(with_key_direction(whole, 1), whole) << "it names one already";
  EXPECT_EQ(with_key_direction("V4", 1), "V4");
}

TEST(OptionsString, FindsWholeElementsOnly) {
  const std::string options = captured("key-method-2-2.4.12", "client_strings");
  EXPECT_EQ(find_in_options(options, "cipher"), "AES-256-CBC");
  EXPECT_EQ(find_in_options(options, "tls-client"), "");
  EXPECT_EQ(find_in_options(options, "ciph"), std::nullopt);
  EXPECT_EQ(find_in_options("", "cipher"), std::nullopt);
  EXPECT_EQ(find_in_options(",,cipher", "cipher"), "");
}

}  // namespace
}  // namespace ringway
