#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/address.h"
#include "control/question.h"

namespace ringway {

/// The questions of a ControlPlane that are not answered, and those that are to be asked or
/// withdrawn. At most kOpenMax are open. Pure; used by one thread.
class QuestionBook {
 public:
  /// More clients than that do not wait at a time. Those of one network (HalfOpenList) never take
  /// more than what they leave, so that there is always room for others.
  static constexpr std::size_t kOpenMax = 4096;

  struct Open {
    ClientId client;
    QuestionKind kind = QuestionKind::Certificate;
    Prefix source;
  };

  /// Nothing when too many are open. News is always taken: each client has little of it.
  std::optional<QuestionId> ask(PlaneQuestion question);
  /// Whom the question was about; it is open no more. Nothing for one that is not open.
  std::optional<Open> close(QuestionId id);
  [[nodiscard]] std::optional<Open> find(QuestionId id) const;
  /// Nobody wants to know any more.
  void withdraw(QuestionId id);

  /// The next to be asked.
  [[nodiscard]] std::optional<PlaneQuestion> poll();
  /// The next that was asked and then withdrawn: whoever works at it can stop.
  [[nodiscard]] std::optional<QuestionId> poll_withdrawn();
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }

 private:
  struct IdHash {
    std::size_t operator()(QuestionId id) const { return id.value; }
  };

  std::uint64_t asked_count_ = 0;
  std::unordered_map<QuestionId, Open, IdHash> open_;
  std::map<Prefix, std::size_t> open_of_;
  std::deque<PlaneQuestion> to_ask_;
  std::deque<QuestionId> withdrawn_;
};

}  // namespace ringway
