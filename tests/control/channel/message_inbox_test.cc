#include "control/channel/message_inbox.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using namespace std::string_literals;

TEST(MessageInbox, SplitsARecordAtItsNuls) {
  MessageInbox inbox(Side::Server);
  EXPECT_EQ(inbox.take("PUSH_REQUEST\0EXIT\0"s, {}),
            (std::vector<std::string>{"PUSH_REQUEST", "EXIT"}));
  EXPECT_EQ(inbox.take_dropped(), 0u);
}

TEST(MessageInbox, DropsWhatHasNoNul) {
  MessageInbox inbox(Side::Server);
  EXPECT_EQ(inbox.take("EXIT\0PUSH_REQ"s, {}), std::vector<std::string>{"EXIT"});
  EXPECT_EQ(inbox.take_dropped(), 1u);
  EXPECT_TRUE(inbox.take("UEST\0"s, {}).size() == 1) << "a record stands alone";
}

TEST(MessageInbox, ForgivesALineEndAndNothingElse) {
  MessageInbox inbox(Side::Server);
  EXPECT_EQ(inbox.take("EXIT\r\n\0"s, {}), std::vector<std::string>{"EXIT"});
  EXPECT_TRUE(inbox.take("EX\nIT\0\x1b[0m\0\0"s, {}).empty());
  EXPECT_EQ(inbox.take_dropped(), 2u);
  EXPECT_EQ(inbox.take_dropped(), 0u);
}

TEST(MessageInbox, TakesTwentyMessagesASecondFromAClient) {
  MessageInbox inbox(Side::Server);
  Instant now{100s};
  for (int i = 0; i < 100; ++i) (void)inbox.take("X\0"s, now + i * 1ms);
  EXPECT_EQ(inbox.take_dropped(), 100 - MessageInbox::kMessagesPerSecondMax);
  EXPECT_EQ(inbox.take("X\0"s, now + 1s).size(), 1u);
}

TEST(MessageInbox, TakesALongPushFromAServer) {
  MessageInbox inbox(Side::Client);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(inbox.take("PUSH_REPLY\0"s, {}).size(), 1u);
}

}  // namespace
}  // namespace ringway
