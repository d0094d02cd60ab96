#include "dataplane/admission/early_negotiation.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::from_hex;

TEST(EarlyNegotiation, IsAnnouncedByTheTopByteOfTheReplayId) {
  EXPECT_TRUE(announces_early_negotiation({.id = 0x0f000001, .time = 1}));
  EXPECT_TRUE(announces_early_negotiation({.id = 0x0fffffff, .time = 1}));
  EXPECT_FALSE(announces_early_negotiation({.id = 1, .time = 1}));
  EXPECT_FALSE(announces_early_negotiation({.id = 0x1f000001, .time = 1}));
  EXPECT_FALSE(announces_early_negotiation({.id = 0x0e000001, .time = 1}));
}

TEST(EarlyNegotiation, ReadsTheCapturedResetOfAServer) {
  const auto plain = test::load_vector("tls-crypt-v2-hs-1").bytes("plaintext");
  const Bytes payload = Bytes(plain).last(sizeof kResendWrappedKey);
  EXPECT_EQ(test::to_hex(payload), test::to_hex(kResendWrappedKey));
  EXPECT_EQ(asks_for_wrapped_key(payload), true);
}

TEST(EarlyNegotiation, ReadsElementsByTypeAndLength) {
  struct Case {
    const char* payload;
    std::optional<bool> asks;
  };
  const Case cases[] = {
      {"", false},
      {"0001 0002 0001", true},
      {"0001 0002 0000", false},
      {"0001 0002 fffe", false},
      {"0001 0002 0003", true},
      {"0007 0003 aabbcc 0001 0002 0001", true},  // an unknown element in front
      {"0001 0002 0001 0009 0000", true},         // and behind
      {"0007 0000", false},
      {"0001", std::nullopt},          // no length
      {"0001 0002", std::nullopt},     // no value
      {"0001 0002 00", std::nullopt},  // half a value
      {"0001 0001 01", std::nullopt},  // flags of another size
      {"0001 0003 000100", std::nullopt},
      {"0007 ffff 0001", std::nullopt},  // longer than what is there
  };
  for (const Case& one : cases) {
    EXPECT_EQ(asks_for_wrapped_key(from_hex(one.payload)), one.asks) << one.payload;
  }
}

}  // namespace
}  // namespace ringway
