#include "dataplane/admission/tls_crypt.h"

#include <gtest/gtest.h>

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
  Side sender;
  Side receiver;
};

constexpr Captured kCaptured[] = {
    {"tls-crypt-c2s", Side::Client, Side::Server},
    {"tls-crypt-s2c", Side::Server, Side::Client},
};

std::string plain_of(const test::Vector& vector) {
  return to_hex(Bytes(vector.bytes("packet")).first(9)) + vector.text("plaintext");
}

TEST(TlsCrypt, UnwrapsCapturedPackets) {
  for (const Captured& captured : kCaptured) {
    const auto vector = load_vector(captured.id);
    const auto packet = vector.bytes("packet");
    const TlsCrypt keys(captured_key(), captured.receiver);
    std::vector<std::uint8_t> scratch(packet.size());

    const auto unwrapped = keys.unwrap(packet, scratch);

    ASSERT_TRUE(unwrapped) << captured.id;
    EXPECT_EQ(to_hex(unwrapped->plain), plain_of(vector)) << captured.id;
    EXPECT_EQ(unwrapped->stamp, (ReplayStamp{1, 0x6b048566}));
  }
}

TEST(TlsCrypt, WrapsToTheCapturedBytes) {
  for (const Captured& captured : kCaptured) {
    const auto vector = load_vector(captured.id);
    const auto plain = from_hex(plain_of(vector));
    const TlsCrypt keys(captured_key(), captured.sender);
    std::vector<std::uint8_t> out(plain.size() + TlsCrypt::overhead());

    const Bytes wrapped = keys.wrap(plain, {1, 0x6b048566}, out);

    EXPECT_EQ(to_hex(wrapped), vector.text("packet")) << captured.id;
  }
}

TEST(TlsCrypt, RefusesEveryTruncationAndEveryFlippedBit) {
  const TlsCrypt keys(captured_key(), Side::Server);
  const auto packet = load_vector("tls-crypt-c2s").bytes("packet");
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

TEST(TlsCrypt, RefusesItsOwnPacketsThrownBack) {
  const TlsCrypt keys(captured_key(), Side::Server);
  const auto packet = load_vector("tls-crypt-s2c").bytes("packet");
  std::vector<std::uint8_t> scratch(packet.size());

  EXPECT_FALSE(keys.unwrap(packet, scratch));
}

TEST(TlsCrypt, ComesBackFromARoundTripAtEverySize) {
  const TlsCrypt server(captured_key(), Side::Server);
  const TlsCrypt client(captured_key(), Side::Client);
  for (std::size_t rest = 0; rest <= 100; ++rest) {
    std::vector<std::uint8_t> plain(9 + rest, 0x37);
    std::vector<std::uint8_t> out(plain.size() + TlsCrypt::overhead());
    std::vector<std::uint8_t> scratch(out.size());

    const auto unwrapped = client.unwrap(server.wrap(plain, {9, 10}, out), scratch);

    ASSERT_TRUE(unwrapped) << rest;
    EXPECT_EQ(to_hex(unwrapped->plain), to_hex(plain));
    EXPECT_EQ(unwrapped->stamp, (ReplayStamp{9, 10}));
  }
}

TEST(TlsCrypt, NeverRepeatsAKeystream) {
  const TlsCrypt server(captured_key(), Side::Server);
  const auto plain = from_hex("40 1122334455667788 00 00000000 00000000 00000000 00000000");
  std::vector<std::uint8_t> first(plain.size() + TlsCrypt::overhead());
  std::vector<std::uint8_t> second(first.size());

  server.wrap(plain, {1, 10}, first);
  server.wrap(plain, {2, 10}, second);

  EXPECT_NE(to_hex(Bytes(first).subspan(49)), to_hex(Bytes(second).subspan(49)));
}

}  // namespace
}  // namespace ringway
