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

PlaneQuestion from_network(std::uint64_t client, std::uint32_t network) {
  PlaneQuestion question = about(client, QuestionKind::Password);
  question.facts.endpoint.remote.address = IpAddress::v4(0xc000'0200 + (network << 8));
  return question;
}

TEST(QuestionBook, IsBounded) {
  QuestionBook book;
  std::uint64_t asked = 0;
  for (std::uint32_t network = 0; network < 2 * QuestionBook::kOpenMax; ++network) {
    asked += book.ask(from_network(network, network)) ? 1 : 0;
  }
  EXPECT_EQ(asked, QuestionBook::kOpenMax);
  // News is nothing that anybody waits with.
  EXPECT_TRUE(book.ask(about(9999, QuestionKind::Disconnect)));
  book.close({1});
  EXPECT_TRUE(book.ask(from_network(9999, 9999)));
}

// B17.
TEST(QuestionBook, LeavesRoomBesideAnyNetwork) {
  QuestionBook book;
  std::size_t of_one = 0;
  while (book.ask(from_network(of_one, 1))) ++of_one;
  EXPECT_EQ(of_one, QuestionBook::kOpenMax / 2);
  EXPECT_TRUE(book.ask(from_network(9999, 2)));

  book.withdraw({1});
  book.close({2});
  EXPECT_EQ(book.open_count(), QuestionBook::kOpenMax / 2 - 1);
  EXPECT_TRUE(book.ask(from_network(9998, 1)));
}

}  // namespace
}  // namespace ringway
