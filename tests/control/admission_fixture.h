#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/control_plane.h"
#include "tests/control/plane_fixture.h"

namespace ringway::test {

using Kind = QuestionKind;

inline const PlaneAnswer kYes{.accepted = true};
inline const PlaneAnswer kNo{.accepted = false, .for_client = "not today", .for_log = "said no"};

/// A plane whose questions the test answers.
class ServerAdmissionTest : public PlaneTest {
 protected:
  static ProgramLine program() { return {.words = {"/bin/true"}, .where = "server.conf:1"}; }

  void configure_all() {
    config_.programs.certificate = program();
    config_.programs.password = program();
    config_.programs.connect = program();
    config_.programs.disconnect = program();
    config_.programs.learn = program();
    config_.client_config_directory = "ccd";
  }

  static ChannelSettings with_password(std::string username = "alice") {
    ChannelSettings settings = client_settings();
    settings.login = std::make_shared<Login>(Login{std::move(username), SecretText("secret")});
    // A client that waits longer than the server lets it.
    settings.hand_window = 300s;
    return settings;
  }

  PlaneQuestion next_question() {
    std::optional<PlaneQuestion> question = plane_->poll_question();
    EXPECT_TRUE(question) << log_;
    return question ? std::move(*question) : PlaneQuestion();
  }

  void answer(const PlaneQuestion& question, const PlaneAnswer& answer) {
    plane_->handle_answer(question.id, answer, now_);
    settle();
  }

  /// Says yes to all that is asked; the kinds, in their order.
  std::vector<Kind> say_yes() {
    std::vector<Kind> kinds;
    while (const auto question = plane_->poll_question()) {
      kinds.push_back(question->kind);
      answer(*question, kYes);
    }
    return kinds;
  }

  std::size_t open_questions() const { return plane_->table_sizes().questions; }
};

}  // namespace ringway::test
