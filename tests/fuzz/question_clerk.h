#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "control/control_plane.h"
#include "control/programs/program_desk.h"

namespace ringway::fuzz {

/// Stands for the helper process of a server: what its programs are asked waits here until the
/// script says what has become of it. What goes to and fro is written and read as on the socket.
class QuestionClerk {
 public:
  explicit QuestionClerk(const ServerConfig& config) : desk_(config, {"tun0", 42, {}}) {}

  /// As ServerPrograms: what the plane asks, what it wants to know no more, and what is answered.
  void serve(ControlPlane& plane, Now now) {
    do {
      while (std::optional<PlaneQuestion> question = plane.poll_question()) {
        desk_.handle_question(std::move(*question), {.bytes_received = 1, .bytes_sent = 2}, now);
      }
      while (const auto withdrawn = plane.poll_withdrawn_question()) {
        desk_.handle_withdrawn(*withdrawn);
      }
      while (const std::optional<HelperRequest> request = desk_.poll_request()) hear(*request);
    } while (give_answers(plane, now));
  }

  /// One of what waits ends, or is put off: which and how, says the script.
  void decide(ByteReader& script) {
    const std::uint8_t how = script.u8();
    if (how == 0xff) return lose_all();
    if (waiting_.empty()) return;
    const auto chosen = waiting_.begin() + script.u8() % static_cast<int>(waiting_.size());
    if (how % 8 == 7) return report(ProgramDeferred{.id = chosen->id, .notice = kNotice});
    const Waiting one = *chosen;
    // A program that a request was withdrawn from may say something all the same.
    if (how % 8 != 6) waiting_.erase(chosen);
    end(one, how % 4 != 3, lines(script));
  }

  /// Whoever was still to answer does, for nobody.
  void decide_all() {
    for (const Waiting& one : std::exchange(waiting_, {})) end(one, true, "");
  }
  [[nodiscard]] std::size_t open_count() const { return desk_.open_count(); }

 private:
  struct Waiting {
    std::uint64_t id = 0;
    bool is_file = false;
    std::size_t file_count = 0;
  };
  static constexpr const char* kNotice = "30\nwebauth\nWEB_AUTH::https://example.org\n";

  void hear(const HelperRequest& request) {
    const std::optional<HelperRequest> heard = decode_request(encode(request));
    RW_ASSERT(heard.has_value());
    if (const auto* program = std::get_if<ProgramRequest>(&*heard)) {
      waiting_.push_back({.id = program->id, .file_count = program->files.size()});
    }
    if (const auto* read = std::get_if<ReadRequest>(&*heard)) {
      waiting_.push_back({.id = read->id, .is_file = true});
    }
    if (const auto* forget = std::get_if<ForgetRequest>(&*heard)) {
      if (forget->id % 2 == 0) {
        std::erase_if(waiting_, [&](const Waiting& one) { return one.id == forget->id; });
      }
    }
  }

  void report(const HelperReport& said) {
    std::optional<HelperReport> heard = decode_report(encode(said));
    RW_ASSERT(heard.has_value());
    desk_.handle_report(std::move(*heard));
  }

  void end(const Waiting& one, bool accepted, const std::string& lines) {
    if (one.is_file) {
      return report(FileRead{one.id, lines, "ccd/alice", accepted ? "" : "it cannot be read"});
    }
    ProgramEnd ended{.id = one.id, .status = accepted ? 0 : 1, .output = lines};
    for (std::size_t i = 0; i < one.file_count; ++i) ended.files.push_back({.content = lines});
    report(ended);
  }

  void lose_all() {
    waiting_.clear();
    report(HelperRestarted{});
  }

  /// A client's lines: some that take effect, or the script's own.
  static std::string lines(ByteReader& script) {
    switch (script.u8() % 8) {
      case 0: return "ifconfig-push 10.8.0.9 255.255.255.240\n";
      case 1: return "ifconfig-push 10.8.0.3 255.255.255.240\niroute 10.20.0.0 255.255.0.0\n";
      case 2: return "iroute 10.20.1.0 255.255.255.0\npush \"route 10.30.0.0 255.255.0.0\"\n";
      case 3: return "disable\n";
      case 4: return "push-reset\npush-remove ping\nkeepalive 2 6\n";
      case 5:
      case 6: {
        const std::size_t size = std::min<std::size_t>(script.u8(), script.left());
        return std::string(text_of(script.take(size)));
      }
      default: return "";
    }
  }

  bool give_answers(ControlPlane& plane, Now now) {
    bool has_some = false;
    while (std::optional<DeskAnswer> answer = desk_.poll_answer()) {
      has_some = true;
      if (const auto* said = std::get_if<PlaneAnswer>(&answer->said)) {
        plane.handle_answer(answer->question, *said, now);
      } else {
        plane.handle_pending(answer->question, std::get<AnswerPending>(answer->said), now);
      }
    }
    while (desk_.poll_warning()) {
    }
    return has_some;
  }

  ProgramDesk desk_;
  std::vector<Waiting> waiting_;
};

}  // namespace ringway::fuzz
