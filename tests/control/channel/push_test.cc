#include "control/channel/push.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

std::string captured_reply(const char* id) {
  std::string text =
      test::load_vector(id).json().at("later_server_plaintexts")[0].get<std::string>();
  text.pop_back();
  return text;
}

PushReply long_reply(std::size_t count) {
  PushReply reply;
  for (std::size_t i = 0; i < count; ++i) {
    reply.options.push_back("route 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
                            ".0 255.255.255.0");
  }
  return reply;
}

TEST(PushReply, RoundTripsWhatStockServersPush) {
  for (const char* id : {"key-method-2-2.4.12", "key-method-2-2.6.14", "key-method-2-2.7.6"}) {
    const std::string text = captured_reply(id);
    PushReplyParser parser;

    const auto reply = parser.handle_message(text);

    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(find_option(*reply, "ifconfig"), "10.77.0.2 255.255.255.0");
    EXPECT_EQ(find_option(*reply, "tun-ipv6"), "");
    EXPECT_EQ(find_option(*reply, "tun"), std::nullopt);
    EXPECT_EQ(encode_push_reply(*reply), std::vector<std::string>{text});
  }
}

TEST(PushReply, SplitsLongRepliesBetweenOptionsWithinTheLimit) {
  for (const std::size_t count : {30u, 31u, 32u, 33u, 34u, 35u, 500u, 4000u}) {
    const PushReply reply = long_reply(count);
    const auto messages = encode_push_reply(reply);
    PushReplyParser parser;
    std::optional<PushReply> joined;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      EXPECT_LE(messages[i].size() + 1, kPushMessageSizeMax);
      EXPECT_TRUE(messages[i].starts_with("PUSH_REPLY,"));
      const bool is_last = i + 1 == messages.size();
      EXPECT_EQ(messages[i].ends_with(",push-continuation 2"), !is_last);
      EXPECT_EQ(messages[i].ends_with(",push-continuation 1"), is_last && messages.size() > 1);
      joined = parser.handle_message(messages[i]);
      EXPECT_EQ(joined.has_value(), is_last);
    }
    EXPECT_EQ(joined->options, reply.options);
  }
}

TEST(PushReply, SaysSoWhenThereIsNothingToPush) {
  EXPECT_EQ(encode_push_reply({}), std::vector<std::string>{"PUSH_REPLY"});
}

// Security goal B15.
TEST(PushReply, LeavesOutOptionsThatWouldBeReadAsOthers) {
  const PushReply reply{.options = {"good 1", "bad,route 0.0.0.0 0.0.0.0", "new\nline",
                                    std::string("n\0l", 3), "", std::string(256, 'x'),
                                    "push-continuation 2", "\xff\xfe", std::string(255, 'y')}};
  std::vector<std::string> refused;

  const auto messages = encode_push_reply(reply, &refused);

  EXPECT_EQ(messages, std::vector<std::string>{"PUSH_REPLY,good 1," + std::string(255, 'y')});
  EXPECT_EQ(refused.size(), 7u);
}

TEST(PushReply, DoesNotReadOtherMessages) {
  PushReplyParser parser;
  EXPECT_FALSE(parser.handle_message("PUSH_REPLYX,a").has_value());
  EXPECT_FALSE(parser.handle_message("PUSH_UPDATE,a").has_value());
  EXPECT_FALSE(parser.handle_message("").has_value());
  EXPECT_EQ(parser.handle_message("PUSH_REPLY")->options.size(), 0u);
  EXPECT_EQ(parser.handle_message("PUSH_REPLY,,a,")->options, std::vector<std::string>{"a"});
}

TEST(PushReply, IsBoundedHoweverManyPartsCome) {
  PushReplyParser parser;
  for (int i = 0; i < 1000; ++i) {
    std::string part = "PUSH_REPLY";
    for (int k = 0; k < 100; ++k) part += ",a";
    EXPECT_FALSE(parser.handle_message(part + ",push-continuation 2").has_value());
  }
  EXPECT_EQ(parser.handle_message("PUSH_REPLY,z,push-continuation 1")->options.size(),
            PushReplyParser::kOptionsMax);
}

TEST(PushReply, FindsTheFirstOptionOfAName) {
  const PushReply reply{.options = {"cipher", "ping-restart 60", "ping   10", "ping 20"}};
  EXPECT_EQ(find_option(reply, "ping"), "10");
  EXPECT_EQ(find_option(reply, "cipher"), "");
  EXPECT_EQ(find_option(reply, "route"), std::nullopt);
}

}  // namespace
}  // namespace ringway
