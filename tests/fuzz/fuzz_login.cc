#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/cursor.h"
#include "control/login_plan.h"
#include "control/server_notice.h"

// How a client logs in while the server says what it likes: refusals, challenges, notices. The
// input: a byte of settings, and the server's messages with a byte of choice and one of length in
// front. After each:
//   - a plan that has a question has no login for it; answered, it comes to an end;
//   - a challenge is answered with the server's own state id.

namespace ringway {
namespace {

LoginPlan::Settings read_settings(std::uint8_t bits) {
  LoginPlan::Settings settings;
  settings.is_wanted = (bits & 1) != 0;
  settings.has_file = (bits & 2) != 0;
  settings.forgets = (bits & 4) != 0;
  settings.retry = static_cast<LoginRetry>((bits >> 3 & 3) % 3);
  if ((bits & 32) != 0) settings.static_challenge = Challenge::make("E", "What?");
  return settings;
}

void log_in(LoginPlan& plan, const AuthFailure* asked) {
  if (plan.wants_file()) plan.take_file("alice", SecretText("word"));
  for (int i = 0; const auto question = plan.next_question(); ++i) {
    RW_ASSERT(i < 4);
    RW_ASSERT(plan.login() == nullptr);
    plan.answer(SecretText("an answer"));
  }
  const SharedLogin login = plan.login();
  RW_ASSERT(plan.login() == login);
  if (!login || asked == nullptr || asked->kind != AuthFailure::Kind::Challenged) return;
  const std::string answer = asked->challenge.wants_answer ? "an answer" : "";
  RW_ASSERT(login->password.view() == "CRV1::" + asked->state_id + "::" + answer);
}

void hear(LoginPlan& plan, std::uint8_t choice, std::string_view text) {
  switch (choice % 4) {
    case 0: {
      const AuthFailure failure = AuthFailure::parse(text);
      RW_ASSERT(failure.backoff >= Duration{0} && failure.backoff <= AuthFailure::kBackoffMax);
      RW_ASSERT(failure.text.size() <= text.size());
      RW_ASSERT(failure.state_id.find(':') == std::string::npos);
      const bool goes_on = plan.note_refused(failure) != LoginPlan::Verdict::GiveUp;
      return log_in(plan, goes_on ? &failure : nullptr);
    }
    case 1: {
      const PendingNotice notice = PendingNotice::parse(text);
      RW_ASSERT(notice.text.size() + notice.url.size() + notice.challenge.text.size() <=
                text.size());
      return;
    }
    case 2:
      static_cast<void>(RestartNotice::parse(text));
      plan.take_token(std::make_shared<const Login>("alice", SecretText(text)));
      return log_in(plan, nullptr);
    default: plan.note_used(); return log_in(plan, nullptr);
  }
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  ByteReader reader({data, size});
  LoginPlan plan(read_settings(reader.u8()));
  log_in(plan, nullptr);
  for (int i = 0; i < 32 && reader.left() > 0; ++i) {
    const std::uint8_t choice = reader.u8();
    const std::size_t length = std::min<std::size_t>(reader.u8(), reader.left());
    hear(plan, choice, text_of(reader.take(length)));
  }
  return 0;
}
