#include "control/login_plan.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace ringway {
namespace {

using Settings = LoginPlan::Settings;
using Verdict = LoginPlan::Verdict;

LoginPlan asking(Settings settings = {}) {
  settings.is_wanted = true;
  return LoginPlan(settings);
}

/// The texts of all questions, in their order, as `answers` are given to them.
std::string ask(LoginPlan& plan, std::initializer_list<const char*> answers) {
  std::string asked;
  for (const char* answer : answers) {
    const auto question = plan.next_question();
    if (!question) return asked + "nothing";
    asked += question->text + (question->echoes ? "+ " : " ");
    plan.answer(SecretText(answer));
  }
  return asked + (plan.next_question() ? "more" : "");
}

TEST(LoginPlan, AsksNothingWhereTheCertificateIsAll) {
  LoginPlan plan({});
  EXPECT_FALSE(plan.next_question());
  EXPECT_EQ(plan.login(), nullptr);
}

TEST(LoginPlan, AsksForNameAndPassword) {
  LoginPlan plan = asking();
  EXPECT_EQ(plan.login(), nullptr);
  EXPECT_EQ(ask(plan, {"alice", "secret"}), "Enter Auth Username:+ Enter Auth Password: ");
  ASSERT_NE(plan.login(), nullptr);
  EXPECT_EQ(plan.login()->username, "alice");
  EXPECT_EQ(plan.login()->password.view(), "secret");
}

TEST(LoginPlan, AsksAgainForANameThatIsEmpty) {
  LoginPlan plan = asking();
  EXPECT_EQ(ask(plan, {"", "alice"}), "Enter Auth Username:+ Enter Auth Username:+ more");
}

TEST(LoginPlan, TakesFromTheFileWhatIsInIt) {
  LoginPlan whole = asking({.has_file = true});
  EXPECT_TRUE(whole.wants_file());
  whole.take_file("alice", SecretText("secret"));
  EXPECT_FALSE(whole.wants_file());
  EXPECT_FALSE(whole.next_question());

  LoginPlan half = asking({.has_file = true});
  half.take_file("alice", {});
  EXPECT_EQ(ask(half, {"typed"}), "Enter Auth Password: ");
  EXPECT_EQ(half.login()->username, "alice");
  EXPECT_EQ(half.login()->password.view(), "typed");
}

TEST(LoginPlan, SendsTheStaticAnswerWithThePassword) {
  LoginPlan plan =
      asking({.static_challenge = Challenge{.text = "PIN", .wants_answer = true, .echoes = true}});
  EXPECT_EQ(ask(plan, {"alice", "secret", "1234"}),
            "Enter Auth Username:+ Enter Auth Password: PIN+ ");
  EXPECT_EQ(plan.login()->password.view(), "SCRV1:c2VjcmV0:MTIzNA==");
}

TEST(LoginPlan, AnswersADynamicChallengeOnce) {
  LoginPlan plan = asking();
  ask(plan, {"alice", "secret"});
  const AuthFailure asked = AuthFailure::parse("CRV1:R:state+/=:Ym9i:Token?");
  EXPECT_EQ(plan.note_refused(asked), Verdict::AgainNow);
  EXPECT_EQ(ask(plan, {"42"}), "Token? ");
  EXPECT_EQ(plan.login()->username, "bob");
  EXPECT_EQ(plan.login()->password.view(), "CRV1::state+/=::42");

  plan.note_used();
  EXPECT_EQ(plan.login()->username, "alice");
  EXPECT_EQ(plan.login()->password.view(), "secret");
}

TEST(LoginPlan, AnswersAChallengeWithoutAQuestionByItself) {
  LoginPlan plan = asking();
  ask(plan, {"alice", "secret"});
  EXPECT_EQ(plan.note_refused(AuthFailure::parse("CRV1:E:id:YWxpY2U=:Press the button")),
            Verdict::AgainNow);
  EXPECT_FALSE(plan.next_question());
  EXPECT_EQ(plan.login()->password.view(), "CRV1::id::");
}

TEST(LoginPlan, IsAskedNothingWhenNobodyIsThere) {
  LoginPlan plan = asking({.retry = LoginRetry::NoInteract});
  ask(plan, {"alice", "secret"});
  EXPECT_EQ(plan.note_refused(AuthFailure::parse("CRV1:R:id:YWxpY2U=:Token?")), Verdict::GiveUp);
}

TEST(LoginPlan, DoesAfterARefusalWhatAuthRetrySays) {
  const AuthFailure refused = AuthFailure::parse("");
  LoginPlan ends = asking();
  ask(ends, {"alice", "wrong"});
  EXPECT_EQ(ends.note_refused(refused), Verdict::GiveUp);

  LoginPlan stubborn = asking({.retry = LoginRetry::NoInteract});
  ask(stubborn, {"alice", "wrong"});
  EXPECT_EQ(stubborn.note_refused(refused), Verdict::Again);
  EXPECT_EQ(stubborn.login()->password.view(), "wrong");

  LoginPlan asks = asking({.retry = LoginRetry::Interact});
  ask(asks, {"alice", "wrong"});
  EXPECT_EQ(asks.note_refused(refused), Verdict::Again);
  EXPECT_EQ(ask(asks, {"alice", "right"}), "Enter Auth Username:+ Enter Auth Password: ");
}

TEST(LoginPlan, UsesATokenUntilItIsRefused) {
  LoginPlan plan = asking({.forgets = true});
  ask(plan, {"alice", "secret"});
  EXPECT_TRUE(plan.forgets());
  plan.note_used();
  plan.take_token(std::make_shared<const Login>(Login{"alice", SecretText("SESS_ID_AT_x")}));
  EXPECT_FALSE(plan.forgets());
  EXPECT_FALSE(plan.next_question());
  EXPECT_EQ(plan.login()->password.view(), "SESS_ID_AT_x");
  plan.note_used();
  EXPECT_EQ(plan.login()->password.view(), "SESS_ID_AT_x");

  // Whatever the refusal says: a server that was started anew does not know its old tokens.
  EXPECT_EQ(plan.note_refused(AuthFailure::parse("SESSION: token expired")), Verdict::AgainNow);
  EXPECT_EQ(ask(plan, {"secret"}), "Enter Auth Password: ");
  EXPECT_EQ(plan.note_refused(AuthFailure::parse("")), Verdict::GiveUp);
}

TEST(LoginPlan, PrefersATokenToThePasswordThatItStillHas) {
  LoginPlan plan = asking();
  ask(plan, {"alice", "secret"});
  EXPECT_EQ(plan.login()->password.view(), "secret");
  plan.take_token(std::make_shared<const Login>(Login{"alice", SecretText("token")}));
  EXPECT_EQ(plan.login()->password.view(), "token");
  EXPECT_EQ(plan.note_refused(AuthFailure::parse("")), Verdict::AgainNow);
  EXPECT_EQ(plan.login()->password.view(), "secret");
}

TEST(LoginPlan, ForgetsWhatItHasUsed) {
  LoginPlan plan = asking({.forgets = true});
  ask(plan, {"alice", "secret"});
  plan.note_used();
  EXPECT_EQ(plan.login(), nullptr);
  EXPECT_EQ(ask(plan, {"secret"}), "Enter Auth Password: ");

  LoginPlan file = asking({.has_file = true, .forgets = true});
  file.take_file("alice", SecretText("secret"));
  file.note_used();
  EXPECT_TRUE(file.wants_file());
}

}  // namespace
}  // namespace ringway
