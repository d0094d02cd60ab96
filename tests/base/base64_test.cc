#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace ringway {
namespace {

// RFC 4648, section 10.
constexpr std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                            {"f", "Zg=="},
                                                            {"fo", "Zm8="},
                                                            {"foo", "Zm9v"},
                                                            {"foob", "Zm9vYg=="},
                                                            {"fooba", "Zm9vYmE="},
                                                            {"foobar", "Zm9vYmFy"}};

TEST(Base64, AgreesWithTheVectorsOfTheRfc) {
  for (const auto& [plain, encoded] : kVectors) {
    EXPECT_EQ(encode_base64(bytes_of(plain)), encoded);
    const auto decoded = decode_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(text_of(*decoded), plain);
  }
}

TEST(Base64, SkipsWhiteSpace) {
  const auto decoded = decode_base64("Zm9v\n Ym\tFy\r\n");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(text_of(*decoded), "foobar");
}

TEST(Base64, RefusesEverythingElse) {
  for (const char* text : {"Zg=", "Zg", "Z", "Zm9v!", "Zm9v=", "Zm-_", "Zg==Zg=="}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace ringway
