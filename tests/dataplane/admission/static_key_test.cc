#include "dataplane/admission/static_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::load_vector;
using test::to_hex;

std::string genuine_file() { return load_vector("static-key-file").text("file_text"); }

std::string error_of(std::string_view text) {
  const auto key = StaticKey::parse(text, "ta.key");
  return key ? "accepted" : key.error().to_string();
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(StaticKey, ReadsTheFourFieldsOfAGenuineFile) {
  const auto vector = load_vector("static-key-file");

  const auto key = StaticKey::parse(vector.text("file_text"), "ta.key");

  ASSERT_TRUE(key) << key.error().to_string();
  EXPECT_EQ(to_hex(key->cipher_field(0)), vector.text("keys0_cipher"));
  EXPECT_EQ(to_hex(key->hmac_field(0)), vector.text("keys0_hmac"));
  EXPECT_EQ(to_hex(key->cipher_field(1)), vector.text("keys1_cipher"));
  EXPECT_EQ(to_hex(key->hmac_field(1)), vector.text("keys1_hmac"));
  EXPECT_EQ(to_hex(key->copy().hmac_field(1)), vector.text("keys1_hmac"));
}

TEST(StaticKey, DoesNotCareHowTheDigitsAreBroken) {
  std::string text = genuine_file();
  const std::size_t begin = text.find("key V1-----\n") + 12;
  const std::size_t end = text.find("-----END");
  std::string digits = text.substr(begin, end - begin);
  std::erase(digits, '\n');
  std::ranges::transform(digits, digits.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string broken;
  for (const char digit : digits) (broken += digit) += broken.size() % 3 == 0 ? "\r\n\t" : " ";

  const auto key = StaticKey::parse(text.replace(begin, end - begin, broken), "ta.key");

  ASSERT_TRUE(key) << key.error().to_string();
  EXPECT_EQ(to_hex(key->cipher_field(0)), load_vector("static-key-file").text("keys0_cipher"));
}

TEST(StaticKey, NamesTheLineOfAForeignCharacter) {
  EXPECT_TRUE(error_of(with(genuine_file(), "a27f", "a2g7"))
                  .starts_with("ta.key:7: a character that is no hexadecimal digit"));
}

TEST(StaticKey, RefusesAFileWithoutItsFirstOrLastLine) {
  EXPECT_NE(error_of(with(genuine_file(), "BEGIN OpenVPN", "BEGIN OpenSSH")).find("no line"),
            std::string::npos);
  EXPECT_NE(error_of(with(genuine_file(), "-----END", "-----and")).find("ends before"),
            std::string::npos);
  EXPECT_NE(error_of("").find("no line"), std::string::npos);
}

TEST(StaticKey, RefusesAKeyOfAnyOtherLength) {
  EXPECT_NE(error_of(with(genuine_file(), "09f9", "09f")).find("511"), std::string::npos);
  EXPECT_NE(error_of(with(genuine_file(), "09f9", "09f900")).find("longer"), std::string::npos);
}

TEST(StaticKey, RefusesEveryTruncation) {
  const std::string text = genuine_file();
  const std::size_t whole = text.find("-----END") + 35;

  for (std::size_t size = 0; size < whole; ++size) {
    EXPECT_FALSE(StaticKey::parse(std::string_view(text).substr(0, size), "ta.key")) << size;
  }
}

}  // namespace
}  // namespace ringway
