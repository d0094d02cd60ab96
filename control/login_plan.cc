#include "control/login_plan.h"

#include <utility>

#include "base/base64.h"

namespace ringway {
namespace {

/// SCRV1:PASSWORD:ANSWER, both in base64 (docs/WIRE.md 7.7).
SecretText join_static(const SecretText& password, const SecretText& answer) {
  std::string first = encode_base64(bytes_of(password.view()));
  std::string second = encode_base64(bytes_of(answer.view()));
  SecretText joined({"SCRV1:", first, ":", second});
  wipe(first);
  wipe(second);
  return joined;
}

}  // namespace

bool LoginPlan::wants_file() const {
  return settings_.has_file && (missing() == Part::Username || missing() == Part::Password);
}

void LoginPlan::take_file(std::string username, SecretText password) {
  username_ = std::move(username);
  if (!password.empty()) password_ = std::move(password);
  current_.reset();
}

LoginPlan::Part LoginPlan::missing() const {
  if (dynamic_) return dynamic_->answer ? Part::None : Part::DynamicAnswer;
  if (token_ || !settings_.is_wanted) return Part::None;
  if (username_.empty()) return Part::Username;
  if (!password_) return Part::Password;
  if (settings_.static_challenge && !static_answer_) return Part::StaticAnswer;
  return Part::None;
}

std::optional<LoginQuestion> LoginPlan::next_question() const {
  switch (missing()) {
    case Part::None: break;
    // The words of OpenVPN: programs that answer them know these.
    case Part::Username: return LoginQuestion{.text = "Enter Auth Username:", .echoes = true};
    case Part::Password: return LoginQuestion{.text = "Enter Auth Password:"};
    case Part::StaticAnswer:
      return LoginQuestion{.text = settings_.static_challenge->text,
                           .echoes = settings_.static_challenge->echoes};
    case Part::DynamicAnswer:
      return LoginQuestion{.text = dynamic_->asked.challenge.text,
                           .echoes = dynamic_->asked.challenge.echoes};
  }
  return std::nullopt;
}

void LoginPlan::answer(SecretText text) {
  current_.reset();
  switch (missing()) {
    case Part::None: return;
    case Part::Username: username_ = text.view(); return;
    case Part::Password: password_ = std::move(text); return;
    case Part::StaticAnswer: static_answer_ = std::move(text); return;
    case Part::DynamicAnswer: dynamic_->answer = std::move(text); return;
  }
}

SharedLogin LoginPlan::login() {
  if (missing() != Part::None || current_) return current_;
  if (dynamic_) {
    const AuthFailure& asked = dynamic_->asked;
    current_ = std::make_shared<const Login>(
        Login{asked.username.empty() ? username_ : asked.username,
              SecretText({"CRV1::", asked.state_id, "::", dynamic_->answer->view()})});
  } else if (token_) {
    current_ = token_;
  } else if (settings_.is_wanted) {
    current_ = std::make_shared<const Login>(
        Login{username_, settings_.static_challenge ? join_static(*password_, *static_answer_)
                                                    : password_->copy()});
  }
  return current_;
}

/// An answer is good once; with `auth-nocache` so is all that the user has typed.
void LoginPlan::note_used() {
  if (dynamic_ && dynamic_->answer) {
    dynamic_.reset();
    current_.reset();
  }
  if (settings_.forgets) forget();
}

void LoginPlan::forget() {
  password_.reset();
  static_answer_.reset();
  if (current_ != token_) current_.reset();
}

/// OpenVPN takes every refusal of a token for its end: the server may have been started anew, and
/// then says no more than AUTH_FAILED.
LoginPlan::Verdict LoginPlan::note_refused(const AuthFailure& failure) {
  const bool had_token = std::exchange(token_, nullptr) != nullptr;
  current_.reset();
  dynamic_.reset();
  if (failure.kind == AuthFailure::Kind::Challenged) {
    if (settings_.retry == Retry::NoInteract) return Verdict::GiveUp;
    dynamic_.emplace(Dynamic{.asked = failure, .answer = std::nullopt});
    if (!failure.challenge.wants_answer) dynamic_->answer.emplace();
    return Verdict::AgainNow;
  }
  if (had_token) return Verdict::AgainNow;
  switch (settings_.retry) {
    case Retry::None: return Verdict::GiveUp;
    case Retry::NoInteract: return Verdict::Again;
    case Retry::Interact: break;
  }
  forget();
  username_.clear();
  return Verdict::Again;
}

}  // namespace ringway
