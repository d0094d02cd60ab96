#include "control/channel/push.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

std::string captured_reply(const char* id) {
  std::string text = test::load_vector(id).texts("later_server_plaintexts")[0];
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

TEST(PushUpdate, SaysWhatIsSetAndWhatIsTakenAway) {
  EXPECT_EQ(encode_push_update({"route 10.0.0.0 255.0.0.0", "-dns", "?block-ipv6", "-?route-ipv6"}),
            std::vector<std::string>{
                "PUSH_UPDATE,route 10.0.0.0 255.0.0.0,-dns,?block-ipv6,-?route-ipv6"});
}

TEST(PushUpdate, IsSplitAsARepliesAre) {
  std::vector<std::string> options;
  for (int i = 0; i < 100; ++i) options.push_back(fmt::format("route 10.{}.0.0 255.255.0.0", i));

  const std::vector<std::string> messages = encode_push_update(options);

  ASSERT_GT(messages.size(), 1u);
  for (const std::string& message : messages) {
    EXPECT_TRUE(message.starts_with("PUSH_UPDATE,route "));
    EXPECT_LT(message.size(), kPushMessageSizeMax);
    EXPECT_TRUE(message.ends_with(&message == &messages.back() ? ",push-continuation 1"
                                                               : ",push-continuation 2"));
  }
}

TEST(PushUpdate, LeavesOutWhatNoClientTakesThisWay) {
  std::vector<std::string> refused;

  const auto messages =
      encode_push_update({"cipher AES-128-GCM", "ifconfig 10.0.0.1 255.0.0.0", "-ifconfig",
                          "route a,route b", "routes", "-?", "", "ping 10"},
                         &refused);

  EXPECT_EQ(messages, std::vector<std::string>{"PUSH_UPDATE,ping 10"});
  EXPECT_EQ(refused.size(), 7u);
}

std::vector<std::string> updated(const std::vector<std::string>& held,
                                 const std::vector<std::string>& update) {
  const auto reply = apply_push_update({.options = held}, {.options = update});
  return reply ? reply->options : std::vector{"refused: " + reply.error()};
}

TEST(PushUpdate, SetsAllLinesOfAnOptionAnew) {
  EXPECT_EQ(updated({"route 10.1.0.0 255.255.0.0", "ping 10", "route 10.2.0.0 255.255.0.0"},
                    {"route 10.3.0.0 255.255.0.0", "route 10.4.0.0 255.255.0.0"}),
            (std::vector<std::string>{"ping 10", "route 10.3.0.0 255.255.0.0",
                                      "route 10.4.0.0 255.255.0.0"}));
}

TEST(PushUpdate, TakesOptionsAwayByTheirWholeName) {
  EXPECT_EQ(updated({"route 10.1.0.0 255.255.0.0", "route-ipv6 fd00::/64", "dns search a"},
                    {"-route", "-?dns"}),
            (std::vector<std::string>{"route-ipv6 fd00::/64"}));
}

TEST(PushUpdate, ChangesNothingThatHangsOnTheLogin) {
  EXPECT_EQ(updated({"cipher AES-256-GCM"}, {"?cipher AES-128-GCM", "?-x", "block-ipv6"}),
            (std::vector<std::string>{"cipher AES-256-GCM", "block-ipv6"}));
  EXPECT_EQ(updated({"peer-id 1"}, {"peer-id 2"}),
            (std::vector<std::string>{"refused: the server changes `peer-id`, which it cannot"}));
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
