#include "dataplane/admission/tls_wrap.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::all_wraps;
using test::captured_key;
using test::from_hex;
using test::to_hex;

TEST(TlsWrap, ComesBackFromARoundTripInEveryMode) {
  const auto plain = from_hex("20 1122334455667788 00 00000001 160301");
  for (const auto& [name, server, client] : all_wraps()) {
    std::vector<std::uint8_t> out(plain.size() + client.overhead());
    std::vector<std::uint8_t> scratch(out.size());

    const Bytes wrapped = client.wrap(plain, {3, 4}, out);
    const auto unwrapped = server.unwrap(wrapped, scratch);

    EXPECT_EQ(wrapped.size(), plain.size() + client.overhead()) << name;
    EXPECT_LE(client.overhead(), TlsWrap::kOverheadMax) << name;
    ASSERT_TRUE(unwrapped) << name;
    EXPECT_EQ(to_hex(unwrapped->plain), to_hex(plain)) << name;
    EXPECT_EQ(unwrapped->stamp, client.is_protected() ? (ReplayStamp{3, 4}) : ReplayStamp{})
        << name;
  }
}

TEST(TlsWrap, GivesOneReasonForEverythingThatIsWrong) {  // A24
  test::SeededRandom random(5);
  for (const auto& [name, server, client] : all_wraps()) {
    if (!server.is_protected()) continue;
    for (std::size_t size = 0; size < 300; ++size) {
      std::vector<std::uint8_t> noise(size);
      random.fill(noise);
      std::vector<std::uint8_t> scratch(size);

      const auto unwrapped = server.unwrap(noise, scratch);

      ASSERT_FALSE(unwrapped) << name << ", " << size << " bytes";
      EXPECT_EQ(unwrapped.error(), Drop::BadWrap);
    }
  }
}

TEST(TlsWrap, KnowsItsModeAndDirection) {
  const TlsWrap none;
  const TlsWrap auth(TlsAuth(captured_key(), 1, Digest::Sha1));
  const TlsWrap undirected(TlsAuth(captured_key(), std::nullopt, Digest::Sha1));
  const TlsWrap crypt(TlsCrypt(captured_key(), Side::Server));

  EXPECT_FALSE(none.is_protected());
  EXPECT_TRUE(auth.is_protected() && auth.is_tls_auth());
  EXPECT_EQ(auth.key_direction(), 1);
  EXPECT_EQ(undirected.key_direction(), std::nullopt);
  EXPECT_TRUE(crypt.is_protected() && !crypt.is_tls_auth());
  EXPECT_EQ(crypt.key_direction(), std::nullopt);
  EXPECT_EQ(none.overhead(), 0u);
  EXPECT_EQ(auth.overhead(), 28u);
  EXPECT_EQ(crypt.overhead(), 40u);
}

}  // namespace
}  // namespace ringway
