#include "control/question_book.h"

#include <algorithm>
#include <utility>

#include "control/channel/key_exchange.h"
#include "control/inquiry.h"

namespace ringway {

PlaneQuestion::~PlaneQuestion() {
  wipe(password);
  wipe(response);
}

Inquiry::~Inquiry() { wipe(password); }

std::optional<QuestionId> QuestionBook::ask(PlaneQuestion question) {
  const bool is_open = wants_answer(question.kind);
  if (is_open && open_.size() >= kOpenMax) return std::nullopt;
  question.id = QuestionId{++asked_count_};
  if (is_open) open_.emplace(question.id, Open{.client = question.client, .kind = question.kind});
  to_ask_.push_back(std::move(question));
  return to_ask_.back().id;
}

std::optional<QuestionBook::Open> QuestionBook::close(QuestionId id) {
  const std::optional<Open> asked = find(id);
  open_.erase(id);
  return asked;
}

std::optional<QuestionBook::Open> QuestionBook::find(QuestionId id) const {
  const auto found = open_.find(id);
  if (found == open_.end()) return std::nullopt;
  return found->second;
}

void QuestionBook::withdraw(QuestionId id) {
  if (open_.erase(id) == 0) return;
  const auto same = [id](const PlaneQuestion& question) { return question.id == id; };
  if (std::erase_if(to_ask_, same) == 0) withdrawn_.push_back(id);
}

std::optional<PlaneQuestion> QuestionBook::poll() {
  if (to_ask_.empty()) return std::nullopt;
  PlaneQuestion question = std::move(to_ask_.front());
  to_ask_.pop_front();
  return question;
}

std::optional<QuestionId> QuestionBook::poll_withdrawn() {
  if (withdrawn_.empty()) return std::nullopt;
  const QuestionId id = withdrawn_.front();
  withdrawn_.pop_front();
  return id;
}

}  // namespace ringway
