#include <gtest/gtest.h>

#include "tests/control/admission_fixture.h"

/// `learn-address`: what its program hears of an address that comes, changes hands and goes.
namespace ringway::test {
namespace {

class LearnedAddressesTest : public ServerAdmissionTest {};

TEST_F(LearnedAddressesTest, ForgetsAnAddressThatWasBeingLearned) {
  config_.programs.learn = program();
  start();
  connect(at(1000), *client1_);
  const PlaneQuestion learning = next_question();
  ASSERT_EQ(learning.kind, Kind::Learn);
  plane_->revoke({{.issuer = "", .serial_decimal = "4099"}}, now_);
  settle();

  const PlaneQuestion forgetting = next_question();
  EXPECT_EQ(forgetting.kind, Kind::Forget);
  EXPECT_EQ(forgetting.address, learning.address);
}

TEST_F(LearnedAddressesTest, TellsOfAnAddressThatTheNextSessionKeeps) {
  config_.programs.learn = program();
  start();
  connect(at(1000), *client1_);
  say_yes();
  pass(60s);
  connect(at(1001), *client1_);

  for (int family = 0; family < 2; ++family) {
    const PlaneQuestion learning = next_question();
    EXPECT_EQ(learning.kind, Kind::Learn);
    EXPECT_TRUE(learning.is_update);
    answer(learning, kYes);
  }
  EXPECT_FALSE(plane_->poll_question());
}

TEST_F(LearnedAddressesTest, ForgetsWhatTheNextSessionDoesNotKeep) {
  config_.programs.learn = program();
  start();
  connect(at(1000), *client1_);
  say_yes();
  pass(60s);
  connect(at(1001), *client1_);

  // Of the two, the first is refused: the program takes it for the old session's still.
  const PlaneQuestion refused = next_question();
  answer(refused, kNo);
  const PlaneQuestion forgetting = next_question();
  EXPECT_EQ(forgetting.kind, Kind::Forget);
  EXPECT_EQ(forgetting.address, refused.address);
  EXPECT_EQ(say_yes(), (std::vector{Kind::Learn}));
}

// The program hears of the new client last: what it opens for it stays open.
TEST_F(LearnedAddressesTest, DoesNotForgetAnAddressThatHasMovedToAnotherClient) {
  config_.programs.learn = program();
  config_.programs.connect = program();
  start();
  connect(at(1000), *client1_);
  answer(next_question(), {.accepted = true, .text = "ifconfig-push 10.77.0.50"});
  say_yes();
  connect(at(1001), *client2_);
  // client1 has it behind it, and client2 takes it over.
  answer(next_question(), {.accepted = true, .text = "iroute 10.77.0.50"});
  std::size_t forgotten = 0;
  while (const auto question = plane_->poll_question()) {
    if (question->address == Prefix::parse("10.77.0.50/32")) {
      if (question->kind == Kind::Learn) EXPECT_TRUE(question->is_update);
      if (question->kind == Kind::Forget) ++forgotten;
    }
    if (wants_answer(question->kind)) answer(*question, kYes);
  }
  EXPECT_EQ(forgotten, 0u);
}

TEST_F(LearnedAddressesTest, RoutesNothingToAnAddressThatIsRefused) {
  config_.programs.learn = program();
  start();
  const PlaneClient& client = connect(at(1000), *client1_);
  const PlaneQuestion v4 = next_question();
  EXPECT_EQ(v4.address, Prefix::parse("10.77.0.2/32"));
  answer(v4, kNo);
  const PlaneQuestion v6 = next_question();
  EXPECT_EQ(v6.address, Prefix::parse("fd77::1000/128"));
  answer(v6, kYes);

  EXPECT_TRUE(client.push);
  ASSERT_EQ(commands<AddRoute>().size(), 1u);
  EXPECT_EQ(commands<AddRoute>()[0]->prefix, Prefix::parse("fd77::1000/128"));
}

}  // namespace
}  // namespace ringway::test
