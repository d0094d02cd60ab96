#include "control/programs/program_desk.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"

// The desk between the plane's questions and the programs, while clients say of themselves what
// they like, and programs write and do what they like. The input is a list of steps, each a byte
// and what it needs. After each:
//   - every question has one answer at most, none when it was withdrawn or was news;
//   - requests have numbers of their own, words and variables on one line;
//   - nothing is open that has ended.
// In the end the helper dies, and whoever still waits is refused.

namespace ringway {
namespace {

ServerConfig make_config(std::uint8_t bits) {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.8.0.0/24");
  config.client_config_directory = "ccd";
  config.client_config_exclusive = (bits & 1) != 0;
  config.duplicate_cn = (bits & 2) != 0;
  config.programs.security = 3;
  config.programs.password_by_file = (bits & 4) != 0;
  for (ProgramLine* line :
       {&config.programs.client_key, &config.programs.certificate, &config.programs.password,
        &config.programs.connect, &config.programs.disconnect, &config.programs.learn,
        &config.programs.challenge}) {
    line->words = {"/bin/decide", "it"};
  }
  config.programs.variables = {{"COLOUR", "red"}};
  return config;
}

class Script {
 public:
  explicit Script(Bytes input)
      : input_(input), config_(make_config(input_.u8())), desk_(config_, {"tun0", 42, {7}}) {}

  void run() {
    for (int i = 0; i < 200 && input_.left() > 0; ++i) {
      step();
      drain();
    }
    desk_.refuse_all("the end");
    drain();
    RW_ASSERT(desk_.open_count() == 0);
    RW_ASSERT(unanswered_.empty());
  }

 private:
  void step() {
    switch (input_.u8() % 8) {
      case 0:
      case 1: return ask();
      case 2:
      case 3: return end_program();
      case 4: return desk_.handle_report(ProgramDeferred{.id = some_id(), .notice = notice()});
      case 5: return desk_.handle_report(FileRead{some_id(), text(), "ccd/x", text()});
      case 6: return withdraw();
      default: return befall();
    }
  }

  std::string text() {
    const std::size_t size = std::min<std::size_t>(input_.u8(), input_.left());
    return std::string(text_of(input_.take(size)));
  }

  /// Well-formed more often than not.
  std::string notice() {
    if (input_.u8() % 2 == 0) return text();
    return std::to_string(input_.u32()) + "\nwebauth\n" + text() + "\n";
  }

  std::uint64_t some_id() { return input_.u8() % (requests_.size() + 2); }

  void ask() {
    PlaneQuestion question;
    question.kind = static_cast<QuestionKind>(input_.u8() % 9);
    question.client = {input_.u8() % 4u};
    question.facts.common_name = text();
    question.facts.certificate.present = input_.u8() % 2 == 1;
    question.facts.certificate.common_name = question.facts.common_name;
    question.facts.certificate.subject = text();
    question.facts.certificate.chain.resize(input_.u8() % 3);
    for (auto& one : question.facts.certificate.chain) one.subject = text();
    question.facts.username = text();
    question.facts.peer_info = PeerInfo::parse("IV_SSO=webauth,crtext\n" + text());
    question.facts.endpoint.remote = {.address = *IpAddress::parse("192.0.2.9"), .port = 4711};
    question.password = text();
    question.response = text();
    question.key_metadata = '\1' + text();
    question.address = Prefix::parse(input_.u8() % 2 == 1 ? "10.9.0.0/24" : "10.8.0.7/32");
    if (wants_answer(question.kind)) {
      question.id = {++question_count_};
      unanswered_.insert(question_count_);
    }
    desk_.handle_question(std::move(question), {.bytes_received = 1, .bytes_sent = 2}, {});
  }

  void end_program() {
    ProgramEnd end;
    end.id = some_id();
    end.status = static_cast<int>(input_.u8()) - 1;
    end.output = text();
    for (std::size_t count = input_.u8() % 5; count > 0; --count) {
      end.files.push_back({.variable = "", .prefix = "", .content = text()});
    }
    desk_.handle_report(std::move(end));
  }

  void withdraw() {
    const std::uint64_t id = input_.u8() % (question_count_ + 2);
    unanswered_.erase(id);
    desk_.handle_withdrawn({id});
  }

  void befall() {
    switch (input_.u8() % 3) {
      case 0: return desk_.handle_report(HelperRestarted{});
      case 1: return desk_.handle_unsent(ForgetRequest{.id = some_id()});
      default: return desk_.handle_unsent(ReadRequest{some_id(), ""});
    }
  }

  void drain() {
    while (const auto request = desk_.poll_request()) {
      const auto written = encode(*request);
      RW_ASSERT(!written.empty());
      RW_ASSERT(decode_request(written).has_value());
      if (const auto* program = std::get_if<ProgramRequest>(&*request)) check_program(*program);
      if (const auto* read = std::get_if<ReadRequest>(&*request)) requests_.insert(read->id);
    }
    while (const auto answer = desk_.poll_answer()) {
      RW_ASSERT(unanswered_.contains(answer->question.value));
      if (std::holds_alternative<PlaneAnswer>(answer->said)) {
        unanswered_.erase(answer->question.value);
      } else {
        const auto& pending = std::get<AnswerPending>(answer->said);
        RW_ASSERT(pending.timeout > Duration{0});
        RW_ASSERT(pending.extra.find('\n') == std::string::npos);
      }
    }
    while (const auto warning = desk_.poll_warning()) RW_ASSERT(!warning->empty());
  }

  void check_program(const ProgramRequest& program) {
    requests_.insert(program.id);
    RW_ASSERT(program.words.size() >= 2 && program.words[0] == "/bin/decide");
    RW_ASSERT(!program.is_privileged);
    std::set<std::string_view> names;
    for (const std::string& entry : program.environment) {
      const std::size_t equals = entry.find('=');
      RW_ASSERT(equals != std::string::npos && equals > 0);
      RW_ASSERT(names.insert(std::string_view(entry).substr(0, equals)).second);
      for (const char c : entry) RW_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
    // What a client says of itself keeps to its own names.
    RW_ASSERT(names.contains("COLOUR") && names.contains("script_type"));
  }

  ByteReader input_;
  ServerConfig config_;
  ProgramDesk desk_;
  std::uint64_t question_count_ = 0;
  std::set<std::uint64_t> unanswered_;
  std::set<std::uint64_t> requests_;
};

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringway::Script({data, size}).run();
  return 0;
}
