#include "control/server_notice.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Kind = AuthFailure::Kind;
using Advance = AuthFailure::Advance;

TEST(RestartNotice, ReadsItsFlags) {
  struct Row {
    std::string_view message;
    bool next_remote;
  };
  for (const Row& row : {Row{"RESTART", false}, Row{"RESTART,[N]", true},
                         Row{"RESTART,[P]N", false}, Row{"RESTART,[PN]", true},
                         Row{"RESTART,[N", true}, Row{"RESTART,N", false}, Row{"", false}}) {
    const RestartNotice notice = RestartNotice::parse(row.message);
    EXPECT_EQ(notice.next_remote, row.next_remote) << row.message;
  }
}

TEST(AuthFailure, TakesAPlainReasonForARefusal) {
  for (const std::string_view reason :
       {"", "no such user", "CRV1:R", "CRV1:R::am9l:PIN?", "CRV1:R:x:*:PIN?"}) {
    const AuthFailure failure = AuthFailure::parse(reason);
    EXPECT_EQ(failure.kind, Kind::Refused) << reason;
    EXPECT_EQ(failure.text, reason);
  }
}

TEST(AuthFailure, ReadsHowToTryAgain) {
  struct Row {
    std::string_view reason;
    Advance advance;
    Duration backoff;
    std::string_view text;
  };
  for (const Row& row : {
           Row{"TEMP", Advance::NextRemote, 0s, ""},
           Row{"TEMP:no address is free", Advance::NextRemote, 0s, "no address is free"},
           Row{"TEMP[backoff 42,advance no]: full", Advance::Stay, 42s, "full"},
           Row{"TEMP[advance addr]: full", Advance::NextAddress, 0s, "full"},
           Row{"TEMP[advance remote, backoff 5]", Advance::NextRemote, 5s, ""},
           Row{"TEMP[backoff 99999999]", Advance::NextRemote, AuthFailure::kBackoffMax, ""},
           Row{"TEMP[backoff -1,later yes]:x", Advance::NextRemote, 0s, "x"},
       }) {
    const AuthFailure failure = AuthFailure::parse(row.reason);
    EXPECT_EQ(failure.kind, Kind::Temporary) << row.reason;
    EXPECT_EQ(failure.advance, row.advance) << row.reason;
    EXPECT_EQ(failure.backoff, row.backoff) << row.reason;
    EXPECT_EQ(failure.text, row.text) << row.reason;
  }
}

TEST(AuthFailure, KnowsATokensEnd) {
  const AuthFailure failure = AuthFailure::parse("SESSION: token expired");
  EXPECT_EQ(failure.kind, Kind::TokenExpired);
  EXPECT_EQ(failure.text, "token expired");
}

TEST(AuthFailure, ReadsAQuestion) {
  const AuthFailure failure = AuthFailure::parse("CRV1:R,E:Om01u7Fh4L:Y3Ix:Please enter PIN: now");
  EXPECT_EQ(failure.kind, Kind::Challenged);
  EXPECT_EQ(failure.state_id, "Om01u7Fh4L");
  EXPECT_EQ(failure.username, "cr1");
  EXPECT_EQ(failure.challenge.text, "Please enter PIN: now");
  EXPECT_TRUE(failure.challenge.wants_answer);
  EXPECT_TRUE(failure.challenge.echoes);

  const AuthFailure silent = AuthFailure::parse("CRV1::id::Press the button");
  EXPECT_EQ(silent.kind, Kind::Challenged);
  EXPECT_FALSE(silent.challenge.wants_answer);
  EXPECT_EQ(silent.username, "");
}

TEST(PendingNotice, ReadsQuestionsPagesAndWords) {
  const PendingNotice question = PendingNotice::parse("INFO_PRE,CR_TEXT:R:Which number: 1 or 2?");
  EXPECT_EQ(question.kind, PendingNotice::Kind::Question);
  EXPECT_EQ(question.challenge.text, "Which number: 1 or 2?");
  EXPECT_FALSE(question.challenge.echoes);

  for (const std::string_view message : {"INFO_PRE,OPEN_URL:https://a.example/x?y",
                                         "INFO_PRE,WEB_AUTH:hidden:https://a.example/x?y"}) {
    const PendingNotice page = PendingNotice::parse(message);
    EXPECT_EQ(page.kind, PendingNotice::Kind::Page) << message;
    EXPECT_EQ(page.url, "https://a.example/x?y") << message;
  }
  EXPECT_EQ(PendingNotice::parse("INFO,maintenance at noon").text, "maintenance at noon");
  EXPECT_EQ(PendingNotice::parse("INFO_PRE,RING:bell").text, "RING:bell");
}

}  // namespace
}  // namespace ringway
