#include "control/channel/control_message.h"

#include <gtest/gtest.h>

#include "control/channel/push.h"

namespace ringway {
namespace {

TEST(ControlMessage, IsKnownByTheWordBeforeTheComma) {
  EXPECT_EQ(parse_control_message("PUSH_REQUEST").kind, ControlMessageKind::PushRequest);
  EXPECT_EQ(parse_control_message("EXIT").kind, ControlMessageKind::Exit);
  EXPECT_EQ(parse_control_message("AUTH_FAILED,TEMP: later, please").argument,
            "TEMP: later, please");
  EXPECT_EQ(parse_control_message("RESTART,[N]").kind, ControlMessageKind::Restart);
  EXPECT_EQ(parse_control_message("PUSH_REQUESTS").kind, ControlMessageKind::Unknown);
  EXPECT_EQ(parse_control_message("").kind, ControlMessageKind::Unknown);
}

// Security goal B13: what is dropped would otherwise reach a terminal.
TEST(ControlMessage, TakesPrintableUtf8Only) {
  for (const char* good : {"", "EXIT", "a~ ", "Zugang gesperrt: \xc3\xbc", "\xe2\x82\xac",
                           "\xf0\x9f\x94\x92", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_printable_text(good)) << good;
  }
  for (const char* bad : {"\n", "\x1b[2J", "a\x7f", "\x80", "\xc3", "\xc0\xaf", "\xc1\xbf",
                          "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
                          "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_printable_text(bad)) << bad;
  }
  EXPECT_FALSE(is_printable_text(std::string_view("a\0b", 3)));
}

TEST(ControlMessage, IsMadePrintableByReplacingBytes) {
  EXPECT_EQ(printable_text("a\tb\xff\xc3\xbc\n"), "a_b_\xc3\xbc_");
}

TEST(ControlMessage, KeepsAuthFailedWithinOneMessage) {
  EXPECT_EQ(auth_failed_message(""), "AUTH_FAILED");
  EXPECT_EQ(auth_failed_message("no\nway"), "AUTH_FAILED,no_way");
  for (const std::string& letter : {std::string("x"), std::string("\xc3\xbc")}) {
    std::string reason;
    for (int i = 0; i < 2000; ++i) reason += letter;
    const std::string text = auth_failed_message(reason);
    EXPECT_LE(text.size() + 1, kPushMessageSizeMax);
    EXPECT_GE(text.size() + 2, kPushMessageSizeMax);
    EXPECT_TRUE(is_printable_text(text));
  }
}

TEST(ControlMessage, ReadsTheTimeoutOfAuthPending) {
  EXPECT_EQ(auth_pending_timeout("timeout 120"), 120u);
  EXPECT_EQ(auth_pending_timeout(""), 0u);
  EXPECT_EQ(auth_pending_timeout("timeout x"), 0u);
  EXPECT_EQ(auth_pending_timeout("timeout 99999999999999"), 0u);
}

}  // namespace
}  // namespace ringway
