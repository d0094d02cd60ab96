#include "control/question_book.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

PlaneQuestion about(std::uint64_t client, QuestionKind kind) {
  PlaneQuestion question;
  question.client = {client};
  question.kind = kind;
  return question;
}

TEST(QuestionBook, GivesEachQuestionOutOnce) {
  QuestionBook book;
  const auto first = book.ask(about(1, QuestionKind::Password));
  const auto second = book.ask(about(2, QuestionKind::Connect));

  EXPECT_EQ(book.poll()->id, *first);
  EXPECT_EQ(book.poll()->id, *second);
  EXPECT_FALSE(book.poll());
  EXPECT_EQ(book.open_count(), 2u);
}

TEST(QuestionBook, TakesOneAnswerToAQuestion) {
  QuestionBook book;
  const auto id = book.ask(about(7, QuestionKind::Password));

  ASSERT_TRUE(book.find(*id));
  EXPECT_EQ(book.close(*id)->client, ClientId{7});
  EXPECT_FALSE(book.close(*id));
  EXPECT_FALSE(book.close({99}));
}

TEST(QuestionBook, SaysWhatNeedNotBeAnsweredAnyMore) {
  QuestionBook book;
  const auto asked = book.ask(about(1, QuestionKind::Password));
  ASSERT_TRUE(book.poll());
  const auto unasked = book.ask(about(2, QuestionKind::Password));
  book.withdraw(*asked);
  book.withdraw(*unasked);

  EXPECT_FALSE(book.poll());
  EXPECT_EQ(book.poll_withdrawn(), asked);
  EXPECT_FALSE(book.poll_withdrawn());
  EXPECT_FALSE(book.close(*asked));
}

TEST(QuestionBook, IsBounded) {
  QuestionBook book;
  for (std::size_t i = 0; i < QuestionBook::kOpenMax; ++i) {
    ASSERT_TRUE(book.ask(about(i, QuestionKind::Password)));
  }
  EXPECT_FALSE(book.ask(about(9999, QuestionKind::Password)));
  // News is nothing that anybody waits with.
  EXPECT_TRUE(book.ask(about(9999, QuestionKind::Disconnect)));
  book.close({1});
  EXPECT_TRUE(book.ask(about(9999, QuestionKind::Password)));
}

}  // namespace
}  // namespace ringway
