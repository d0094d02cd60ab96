#include "dataplane/admission/tls_auth.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/dataplane/admission/admission_fixture.h"

namespace ringway {
namespace {

using test::captured_key;
using test::from_hex;
using test::load_vector;
using test::to_hex;

struct Captured {
  const char* id;
  /// The direction of the end that received the packet, and of the one that sent it.
  std::optional<int> receiver;
  std::optional<int> sender;
  Digest digest;
};

const Captured kCaptured[] = {
    {"tls-auth-sha1-c2s", 0, 1, Digest::Sha1},
    {"tls-auth-sha1-s2c", 1, 0, Digest::Sha1},
    {"tls-auth-sha256-nodir-c2s", std::nullopt, std::nullopt, Digest::Sha256},
    {"tls-auth-sha256-nodir-s2c", std::nullopt, std::nullopt, Digest::Sha256},
};

/// The plain packet that a captured one must unwrap to, cut out of it by the format's picture.
std::string plain_of(const std::vector<std::uint8_t>& packet, Digest digest) {
  return to_hex(Bytes(packet).first(9)) + to_hex(Bytes(packet).subspan(9 + size_of(digest) + 8));
}

TEST(TlsAuth, UnwrapsCapturedPackets) {
  for (const Captured& captured : kCaptured) {
    const auto packet = load_vector(captured.id).bytes("packet");
    const TlsAuth keys(captured_key(), captured.receiver, captured.digest);
    std::vector<std::uint8_t> scratch(packet.size());

    const auto unwrapped = keys.unwrap(packet, scratch);

    ASSERT_TRUE(unwrapped) << captured.id;
    EXPECT_EQ(to_hex(unwrapped->plain), plain_of(packet, captured.digest)) << captured.id;
    EXPECT_EQ(unwrapped->stamp.id, 1u);
    EXPECT_EQ(unwrapped->stamp.time >> 16, 0x6b04u);
  }
}

TEST(TlsAuth, WrapsToTheCapturedBytes) {
  for (const Captured& captured : kCaptured) {
    const auto packet = load_vector(captured.id).bytes("packet");
    const auto plain = from_hex(plain_of(packet, captured.digest));
    const TlsAuth keys(captured_key(), captured.sender, captured.digest);
    const std::uint32_t time = load_be32(packet.data() + 9 + size_of(captured.digest) + 4);
    std::vector<std::uint8_t> out(plain.size() + keys.overhead());

    const Bytes wrapped = keys.wrap(plain, {1, time}, out);

    EXPECT_EQ(to_hex(wrapped), to_hex(packet)) << captured.id;
  }
}

TEST(TlsAuth, RefusesEveryTruncationAndEveryFlippedBit) {
  const TlsAuth keys(captured_key(), 0, Digest::Sha1);
  const auto packet = load_vector("tls-auth-sha1-c2s").bytes("packet");
  std::vector<std::uint8_t> scratch(packet.size());

  for (std::size_t size = 0; size < packet.size(); ++size) {
    const auto unwrapped = keys.unwrap(Bytes(packet).first(size), scratch);
    ASSERT_FALSE(unwrapped) << size;
    EXPECT_EQ(unwrapped.error(), Drop::BadWrap);
  }
  for (std::size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    auto flipped = packet;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(keys.unwrap(flipped, scratch)) << "bit " << bit;
  }
}

TEST(TlsAuth, RefusesTheOtherDirectionAndTheOtherDigest) {
  const auto packet = load_vector("tls-auth-sha1-c2s").bytes("packet");
  std::vector<std::uint8_t> scratch(packet.size());

  EXPECT_FALSE(TlsAuth(captured_key(), 1, Digest::Sha1).unwrap(packet, scratch));
  EXPECT_FALSE(TlsAuth(captured_key(), std::nullopt, Digest::Sha1).unwrap(packet, scratch));
  EXPECT_FALSE(TlsAuth(captured_key(), 0, Digest::Sha256).unwrap(packet, scratch));
}

TEST(TlsAuth, RefusesItsOwnPacketsThrownBack) {
  const TlsAuth keys(captured_key(), 0, Digest::Sha1);
  const auto packet = load_vector("tls-auth-sha1-s2c").bytes("packet");
  std::vector<std::uint8_t> scratch(packet.size());

  EXPECT_FALSE(keys.unwrap(packet, scratch));
}

TEST(TlsAuth, ComesBackFromARoundTripWithEveryDigest) {
  const auto plain = from_hex("20 1122334455667788 00 00000001 160301");
  for (const Digest digest :
       {Digest::Sha1, Digest::Sha224, Digest::Sha256, Digest::Sha384, Digest::Sha512}) {
    const TlsAuth server(captured_key(), 0, digest);
    const TlsAuth client(captured_key(), 1, digest);
    std::vector<std::uint8_t> out(plain.size() + client.overhead());
    std::vector<std::uint8_t> scratch(out.size());

    const Bytes wrapped = client.wrap(plain, {0xfffffffe, 77}, out);
    const auto unwrapped = server.unwrap(wrapped, scratch);

    EXPECT_EQ(wrapped.size(), plain.size() + 8 + size_of(digest));
    ASSERT_TRUE(unwrapped);
    EXPECT_EQ(to_hex(unwrapped->plain), to_hex(plain));
    EXPECT_EQ(unwrapped->stamp, (ReplayStamp{0xfffffffe, 77}));
  }
}

}  // namespace
}  // namespace ringway
