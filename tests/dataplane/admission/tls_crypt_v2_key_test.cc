#include "dataplane/admission/tls_crypt_v2_key.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/dataplane/admission/admission_fixture.h"

namespace ringway {
namespace {

using test::captured_v2_server_key;
using test::from_hex;
using test::load_vector;
using test::to_hex;

constexpr const char* kVectors[] = {"tls-crypt-v2-wkc-timestamp", "tls-crypt-v2-wkc-user"};

KeyMetadata metadata_of(Bytes bytes) {
  KeyMetadata metadata;
  metadata.size = bytes.size();
  std::ranges::copy(bytes, metadata.bytes.begin());
  return metadata;
}

TEST(TlsCryptV2Key, UnwrapsTheKeysThatOpenVpnMade) {
  for (const char* id : kVectors) {
    const auto vector = load_vector(id);
    const auto server = TlsCryptV2ServerKey::parse(vector.text("server_key_pem"), "v2.key");
    ASSERT_TRUE(server) << id;

    const auto client = server->unwrap(vector.bytes("WKc"));

    ASSERT_TRUE(client) << id;
    EXPECT_EQ(to_hex(client->key.bytes()), vector.text("Kc")) << id;
    EXPECT_EQ(to_hex(client->metadata.view()), vector.text("metadata")) << id;
  }
}

TEST(TlsCryptV2Key, WrapsToTheSameBytesAsOpenVpn) {
  for (const char* id : kVectors) {
    const auto vector = load_vector(id);
    const auto server = TlsCryptV2ServerKey::from_bytes(vector.bytes("server_key_raw"));

    const auto wrapped = server.wrap(StaticKey::from_bytes(vector.bytes("Kc")),
                                     metadata_of(vector.bytes("metadata")));

    EXPECT_EQ(to_hex(wrapped), vector.text("WKc")) << id;
  }
}

TEST(TlsCryptV2Key, ReadsAndWritesTheFilesOfOpenVpn) {
  for (const char* id : kVectors) {
    const auto vector = load_vector(id);
    const auto client = TlsCryptV2ClientKey::parse(vector.text("client_key_pem"), "me.key");
    ASSERT_TRUE(client) << id;
    EXPECT_EQ(to_hex(client->key.bytes()), vector.text("Kc"));
    EXPECT_EQ(to_hex(client->wrapped), vector.text("WKc"));

    auto raw = vector.bytes("Kc");
    raw.insert(raw.end(), client->wrapped.begin(), client->wrapped.end());
    EXPECT_EQ(pem_key_text(PemKey::TlsCryptV2Client, raw), vector.text("client_key_pem"));
    EXPECT_EQ(pem_key_text(PemKey::TlsCryptV2Server, vector.bytes("server_key_raw")),
              vector.text("server_key_pem"));
  }
}

TEST(TlsCryptV2Key, RefusesEveryTruncationAndEveryFlippedBit) {  // A08
  const auto server = captured_v2_server_key();
  const auto wrapped = load_vector(kVectors[0]).bytes("WKc");
  for (std::size_t size = 0; size < wrapped.size(); ++size) {
    EXPECT_FALSE(server.unwrap(Bytes(wrapped).first(size))) << size;
    EXPECT_FALSE(server.unwrap(Bytes(wrapped).last(size))) << size;
  }
  for (std::size_t bit = 0; bit < 8 * wrapped.size(); ++bit) {
    auto flipped = wrapped;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << bit % 8));
    const auto client = server.unwrap(flipped);
    ASSERT_FALSE(client) << "bit " << bit;
    EXPECT_EQ(client.error(), Drop::BadWrap);
  }
}

TEST(TlsCryptV2Key, RefusesTheKeysOfAnotherServer) {
  const auto other = TlsCryptV2ServerKey::from_bytes(std::vector<std::uint8_t>(128, 7));
  EXPECT_FALSE(other.unwrap(load_vector(kVectors[0]).bytes("WKc")));
}

TEST(TlsCryptV2Key, TakesMetadataUpToItsLimitAndNoMore) {
  const auto server = captured_v2_server_key();
  const StaticKey key = StaticKey::from_bytes(std::vector<std::uint8_t>(256, 9));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kKeyMetadataSizeMax}) {
    const auto metadata = metadata_of(std::vector<std::uint8_t>(size, 3));
    const auto wrapped = server.wrap(key, metadata);
    EXPECT_EQ(wrapped.size(), kWrappedKeySizeMin + size);
    const auto client = server.unwrap(wrapped);
    ASSERT_TRUE(client) << size;
    EXPECT_EQ(client->metadata.size, size);
  }
  std::vector<std::uint8_t> large(kWrappedKeySizeMax + 1);
  store_be16(large.data() + large.size() - 2, static_cast<std::uint16_t>(large.size()));
  EXPECT_FALSE(server.unwrap(large));
}

TEST(TlsCryptV2Key, KnowsWhenAKeyWasMade) {
  const auto made = KeyMetadata::timestamp({0x6b048421});
  EXPECT_EQ(to_hex(made.view()), load_vector(kVectors[0]).text("metadata"));
  EXPECT_EQ(made.made_at(), UnixTime{0x6b048421});
  EXPECT_EQ(KeyMetadata::user(from_hex("4142434445464748")).made_at(), std::nullopt);
  EXPECT_EQ(to_hex(KeyMetadata::user(from_hex("4142434445464748")).view()),
            load_vector(kVectors[1]).text("metadata"));
  EXPECT_EQ(metadata_of(from_hex("01000000")).made_at(), std::nullopt);
  EXPECT_EQ(KeyMetadata{}.made_at(), std::nullopt);
}

TEST(TlsCryptV2Key, CutsTheKeyOffAndLeavesAWholePacket) {  // A08
  const auto packet = load_vector("tls-crypt-v2-hs-0").bytes("packet");
  const auto cut = cut_wrapped_key(packet);
  ASSERT_TRUE(cut);
  EXPECT_EQ(to_hex(cut->wrapped), load_vector(kVectors[0]).text("WKc"));
  EXPECT_EQ(cut->packet.size(), packet.size() - cut->wrapped.size());

  // Whatever the length says, the packet in front keeps its head, stamp and tag.
  auto altered = packet;
  for (unsigned length = 0; length <= 0xffff; ++length) {
    store_be16(altered.data() + altered.size() - 2, static_cast<std::uint16_t>(length));
    const auto other = cut_wrapped_key(altered);
    const bool fits = length >= kWrappedKeySizeMin && length + 49 <= packet.size();
    EXPECT_EQ(other.has_value(), fits) << length;
  }
  for (std::size_t size = 0; size < packet.size(); ++size) {
    (void)cut_wrapped_key(Bytes(packet).first(size));
  }
}

TEST(TlsCryptV2Key, SaysWhatIsWrongWithAFile) {
  const auto server_pem = load_vector(kVectors[0]).text("server_key_pem");
  const auto client_pem = load_vector(kVectors[0]).text("client_key_pem");
  const auto short_pem = pem_key_text(PemKey::TlsCryptV2Server, std::vector<std::uint8_t>(64));
  auto wrong_length = std::vector<std::uint8_t>(600);

  EXPECT_NE(TlsCryptV2ServerKey::parse("nothing", "s.conf:3")
                .error()
                .to_string()
                .find("s.conf:3: no block \"-----BEGIN OpenVPN tls-crypt-v2 server key-----\""),
            std::string::npos);
  EXPECT_NE(TlsCryptV2ServerKey::parse(client_pem, "w")
                .error()
                .what.find("holds a \"OpenVPN tls-crypt-v2 client key\""),
            std::string::npos);
  EXPECT_NE(TlsCryptV2ServerKey::parse(short_pem, "w").error().what.find("64 bytes where 128"),
            std::string::npos);
  EXPECT_NE(TlsCryptV2ClientKey::parse(server_pem, "w")
                .error()
                .what.find("holds a \"OpenVPN tls-crypt-v2 server key\""),
            std::string::npos);
  EXPECT_NE(TlsCryptV2ClientKey::parse(pem_key_text(PemKey::TlsCryptV2Client, wrong_length), "w")
                .error()
                .what.find("length at the end"),
            std::string::npos);
}

}  // namespace
}  // namespace ringway
