#include "control/address_queries.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/time.h"
#include "tests/support/patience.h"

namespace ringway {
namespace {

using Family = ConnectRace::Family;

/// The next answer; fails when there is none in time.
std::optional<AddressQueries::Answer> wait_for_answer(AddressQueries& queries) {
  std::vector<pollfd> waiting;
  queries.add_to(waiting);
  ::poll(waiting.data(), waiting.size(), test::kPatienceMs);
  return queries.take();
}

TEST(AddressQueries, AnswerByFamily) {
  AddressQueries queries;
  ASSERT_TRUE(queries.ask("192.0.2.1", Family::V4));
  const auto v4 = wait_for_answer(queries);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->host, "192.0.2.1");
  EXPECT_EQ(v4->family, Family::V4);
  ASSERT_EQ(v4->addresses.size(), 1u);
  EXPECT_EQ(v4->addresses[0], (Endpoint{*IpAddress::parse("192.0.2.1")}));

  ASSERT_TRUE(queries.ask("2001:db8::1", Family::V6));
  const auto v6 = wait_for_answer(queries);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->addresses, std::vector{Endpoint{*IpAddress::parse("2001:db8::1")}});
}

TEST(AddressQueries, SayWhyThereIsNoAddress) {
  AddressQueries queries;
  ASSERT_TRUE(queries.ask("192.0.2.1", Family::V6));
  const auto answer = wait_for_answer(queries);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->addresses.empty());
  EXPECT_FALSE(answer->failure.empty());
}

TEST(AddressQueries, AskTheSameOnceAtATime) {
  AddressQueries queries;
  // Whether the first answer has come already is not known to the asker.
  ASSERT_TRUE(queries.ask("192.0.2.1", Family::V4));
  ASSERT_TRUE(queries.ask("192.0.2.1", Family::V4));
  std::vector<pollfd> waiting;
  queries.add_to(waiting);
  EXPECT_EQ(waiting.size(), 1u);
  ASSERT_TRUE(wait_for_answer(queries));
  EXPECT_FALSE(queries.take());
  ASSERT_TRUE(queries.ask("192.0.2.1", Family::V4));
  EXPECT_TRUE(wait_for_answer(queries));
}

TEST(AddressQueries, RefuseMoreThanTheirLimit) {
  AddressQueries queries;
  for (std::size_t i = 0; i < AddressQueries::kOpenMax; ++i) {
    ASSERT_TRUE(queries.ask("192.0.2." + std::to_string(i), Family::V4));
  }
  EXPECT_FALSE(queries.ask("192.0.2.200", Family::V4));
}

TEST(AddressQueries, MayBeLeftUnanswered) {
  AddressQueries queries;
  EXPECT_TRUE(queries.ask("192.0.2.1", Family::V4));
}

}  // namespace
}  // namespace ringway
