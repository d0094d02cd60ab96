#include "control/question_book.h"

#include <algorithm>
#include <utility>

#include "control/channel/key_exchange.h"
#include "control/inquiry.h"
#include "dataplane/half_open_list.h"

namespace ringway {

PlaneQuestion::~PlaneQuestion() {
  wipe(password);
  wipe(response);
}

Inquiry::~Inquiry() { wipe(password); }

std::optional<QuestionId> QuestionBook::ask(PlaneQuestion question) {
  question.id = QuestionId{asked_count_ + 1};
  if (wants_answer(question.kind)) {
    const Prefix source = HalfOpenList::network_of(question.facts.endpoint.remote.address);
    const auto others = open_of_.find(source);
    const std::size_t taken = others == open_of_.end() ? 0 : others->second;
    if (taken >= kOpenMax - open_.size()) return std::nullopt;
    ++open_of_[source];
    open_.emplace(question.id,
                  Open{.client = question.client, .kind = question.kind, .source = source});
  }
  ++asked_count_;
  to_ask_.push_back(std::move(question));
  return to_ask_.back().id;
}

std::optional<QuestionBook::Open> QuestionBook::close(QuestionId id) {
  const std::optional<Open> asked = find(id);
  if (!asked) return std::nullopt;
  open_.erase(id);
  const auto same = open_of_.find(asked->source);
  if (--same->second == 0) open_of_.erase(same);
  return asked;
}

std::optional<QuestionBook::Open> QuestionBook::find(QuestionId id) const {
  const auto found = open_.find(id);
  if (found == open_.end()) return std::nullopt;
  return found->second;
}

void QuestionBook::withdraw(QuestionId id) {
  if (!close(id)) return;
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
