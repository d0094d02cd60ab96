#include "control/channel/key_exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::load_vector;

constexpr const char* kCaptured[] = {"key-method-2-2.4.12", "key-method-2-2.5.11",
                                     "key-method-2-2.6.14", "key-method-2-2.7.6"};

std::vector<std::uint8_t> encode(const KeyExchange& exchange, Side sender) {
  std::vector<std::uint8_t> buffer(KeyExchange::kSizeMax);
  ByteWriter writer(buffer);
  encode_key_exchange(exchange, sender, writer);
  EXPECT_FALSE(writer.overflowed());
  buffer.resize(writer.size());
  return buffer;
}

std::string without_nul(std::string text) {
  if (!text.empty()) text.pop_back();
  return text;
}

void put_string(std::vector<std::uint8_t>& message, std::string_view bytes) {
  message.push_back(static_cast<std::uint8_t>(bytes.size() >> 8));
  message.push_back(static_cast<std::uint8_t>(bytes.size()));
  message.insert(message.end(), bytes.begin(), bytes.end());
}

/// A client's message up to and without its strings.
std::vector<std::uint8_t> head() {
  std::vector<std::uint8_t> message = {0, 0, 0, 0, 2};
  message.resize(message.size() + KeySource::kPreMasterSize + 2 * KeySource::kRandomSize, 7);
  return message;
}

std::vector<std::uint8_t> login(std::string_view username, std::string_view password) {
  std::vector<std::uint8_t> message = head();
  put_string(message, std::string_view("V4\0", 3));
  put_string(message, username);
  put_string(message, password);
  put_string(message, std::string_view("IV_VER=1\n\0", 10));
  return message;
}

std::string with_nul(std::string text) { return text + '\0'; }

TEST(KeyExchange, ReadsAndRewritesWhatStockClientsAndServersSend) {
  for (const char* id : kCaptured) {
    SCOPED_TRACE(id);
    const test::Vector vector = load_vector(id);
    for (const Side sender : {Side::Client, Side::Server}) {
      const std::string who = sender == Side::Client ? "client" : "server";
      const auto message = vector.bytes(who + "_message");
      const auto strings = vector.texts(who + "_strings");

      const auto exchange = decode_key_exchange(message, sender);

      ASSERT_TRUE(exchange.has_value());
      EXPECT_EQ(exchange->options, without_nul(strings[0]));
      EXPECT_EQ(exchange->username, "");
      EXPECT_EQ(exchange->password, "");
      EXPECT_EQ(exchange->peer_info, without_nul(strings[3]));
      EXPECT_FALSE(exchange->bad_credentials);
      EXPECT_EQ(encode(*exchange, sender), message);
    }
  }
}

TEST(KeyExchange, TakesTheRandomBytesInTheOrderOfTheWire) {
  const auto exchange =
      decode_key_exchange(load_vector("key-method-2-2.5.11").bytes("client_message"), Side::Client);

  const test::Vector prf = load_vector("prf-aes256gcm");
  ASSERT_TRUE(exchange.has_value());
  EXPECT_EQ(test::to_hex(exchange->source.pre_master()), prf.text("client_pre_master"));
  EXPECT_EQ(test::to_hex(exchange->source.random1()), prf.text("client_random1"));
  EXPECT_EQ(test::to_hex(exchange->source.random2()), prf.text("client_random2"));
}

TEST(KeyExchange, RefusesEveryTruncationInsideAField) {
  const auto message = load_vector("key-method-2-2.6.14").bytes("client_message");
  const auto whole = decode_key_exchange(message, Side::Client);
  ASSERT_TRUE(whole.has_value());
  // Where the message may end: before each of the four strings, and at its end.
  const std::size_t options_at = head().size();
  const std::size_t username_at = options_at + 2 + whole->options.size() + 1;
  const std::vector<std::size_t> ends = {options_at, username_at, username_at + 2, username_at + 4};

  for (std::size_t size = 0; size < message.size(); ++size) {
    const auto cut = decode_key_exchange(Bytes(message).first(size), Side::Client);
    const bool at_string = std::ranges::find(ends, size) != ends.end();
    EXPECT_EQ(cut.has_value(), at_string) << "at " << size;
  }
}

TEST(KeyExchange, TakesMissingStringsAtTheEndAsEmpty) {
  std::vector<std::uint8_t> message = head();
  put_string(message, std::string_view("V4\0", 3));

  const auto exchange = decode_key_exchange(message, Side::Client);

  ASSERT_TRUE(exchange.has_value());
  EXPECT_EQ(exchange->options, "V4");
  EXPECT_EQ(exchange->peer_info, "");
}

TEST(KeyExchange, IgnoresTheUpperBitsOfTheMethodAndNothingElse) {
  std::vector<std::uint8_t> message = login("", "");
  message[4] = 0xf2;
  EXPECT_TRUE(decode_key_exchange(message, Side::Client).has_value());
  message[4] = 0x03;
  EXPECT_EQ(decode_key_exchange(message, Side::Client).error(), KeyExchangeFault::NotKeyMethod2);
  message[4] = 0x02;
  message[3] = 1;
  EXPECT_EQ(decode_key_exchange(message, Side::Client).error(), KeyExchangeFault::NotKeyMethod2);
}

TEST(KeyExchange, ReadsNameAndPasswordOfUpTo4095Bytes) {
  const std::string longest(4095, 'u');
  const auto exchange =
      decode_key_exchange(login(with_nul(longest), with_nul("se\ncret")), Side::Client);

  ASSERT_TRUE(exchange.has_value());
  EXPECT_EQ(exchange->username, longest);
  EXPECT_EQ(exchange->password, "se_cret") << "control characters become underscores";
  EXPECT_FALSE(exchange->bad_credentials);
}

// Security goal B07: a clean failure of the login, not of the TLS session.
TEST(KeyExchange, MarksCredentialsThatAreTooLongOrMalformed) {
  struct Row {
    const char* why;
    std::string username;
    std::string password;
  };
  const Row rows[] = {
      {"a name of 4,096 bytes", with_nul(std::string(4096, 'u')), with_nul("p")},
      {"a password of 4,096 bytes", with_nul("u"), with_nul(std::string(4096, 'p'))},
      {"a password of 60000 bytes", with_nul("u"), with_nul(std::string(60'000, 'p'))},
      {"a NUL inside the name", with_nul(std::string("a\0b", 3)), with_nul("p")},
      {"a name without NUL", "name", with_nul("p")},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    const auto exchange = decode_key_exchange(login(row.username, row.password), Side::Client);
    ASSERT_TRUE(exchange.has_value());
    EXPECT_TRUE(exchange->bad_credentials);
    EXPECT_EQ(exchange->username, "");
    EXPECT_EQ(exchange->password, "");
    EXPECT_EQ(exchange->peer_info, "IV_VER=1\n");
  }
}

TEST(KeyExchange, RefusesOptionsThatAreTooLongOrMalformed) {
  const std::string longest(511, 'o');
  const std::string cases[] = {with_nul(longest + "o"),
                               with_nul(std::string("V\0"
                                                    "4",
                                                    3)),
                               "V4"};
  for (const std::string& options : cases) {
    std::vector<std::uint8_t> message = head();
    put_string(message, options);
    EXPECT_EQ(decode_key_exchange(message, Side::Client).error(), KeyExchangeFault::BadString);
  }
  std::vector<std::uint8_t> message = head();
  put_string(message, with_nul(longest));
  EXPECT_TRUE(decode_key_exchange(message, Side::Client).has_value());
}

TEST(KeyExchange, WritesAbsentStringsAsAZeroLengthAlone) {
  KeyExchange exchange;
  exchange.options = "V4";
  const auto message = encode(exchange, Side::Server);
  EXPECT_EQ(message.size(), 5u + 64 + 2 + 3 + 2 + 2 + 2);
}

}  // namespace
}  // namespace ringway
