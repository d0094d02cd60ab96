#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "control/config/config.h"
#include "control/programs/program_environment.h"
#include "control/programs/program_wire.h"
#include "control/question.h"

namespace ringway {

/// What goes back to the ControlPlane.
struct DeskAnswer {
  QuestionId question;
  std::variant<PlaneAnswer, AnswerPending> said;
};

/// How much went through a client's tunnel.
struct TrafficTotals {
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
};

/// Turns the plane's questions into requests to the helper process, and its reports into answers:
/// which program, with which arguments, environment and files, and what its end means.
///
/// Fail closed: what cannot be asked, or is not answered because the helper died, is refused for
/// the moment. Pure; used by one thread; `config` outlives it. Bounded by the plane's questions.
class ProgramDesk {
 public:
  ProgramDesk(const ServerConfig& config, ServerFacts server);

  void handle_question(PlaneQuestion question, const TrafficTotals& traffic, Now now);
  void handle_withdrawn(QuestionId question);
  void handle_report(HelperReport report);
  /// A request of poll_request() could not be made.
  void handle_unsent(const HelperRequest& request);
  /// Everything that is open is refused: the helper has died, or started anew.
  void refuse_all(std::string_view why);

  [[nodiscard]] std::optional<HelperRequest> poll_request();
  [[nodiscard]] std::optional<DeskAnswer> poll_answer();
  /// A line for the log, escaped by whoever writes it: what a program wrote, or why it did not run.
  [[nodiscard]] std::optional<std::string> poll_warning();
  /// How many departures no program was told of, because there was no room.
  [[nodiscard]] std::uint64_t lost_news() const { return lost_news_; }
  /// Requests without a report.
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }

  /// A program of the server itself: `up`, `down`, `route-up`. Of these the caller reads the
  /// report.
  [[nodiscard]] ProgramRequest server_program(std::string_view type, const ProgramLine& program,
                                              bool is_privileged) const;

 private:
  struct Open {
    /// Unset for news, and where nobody wants to know any more.
    std::optional<QuestionId> question;
    QuestionKind kind = QuestionKind::Certificate;
    ClientId client;
    bool is_renegotiation = false;
    /// For log lines.
    std::string about;
    /// Certificate: what is asked about next, and of what.
    std::size_t depth = 0;
    ClientFacts facts;
  };

  void ask_about_client_key(std::uint64_t id, const PlaneQuestion& question);
  void ask_about_certificate(std::uint64_t id, const Open& open);
  void ask_about_password(std::uint64_t id, const PlaneQuestion& question);
  void ask_about_challenge(std::uint64_t id, const PlaneQuestion& question);
  void ask_for_client_config(std::uint64_t id, const PlaneQuestion& question);
  void ask_to_connect(std::uint64_t id, const PlaneQuestion& question);
  void ask_about_address(std::uint64_t id, const PlaneQuestion& question);
  void tell_of_disconnect(std::uint64_t id, const PlaneQuestion& question,
                          const TrafficTotals& traffic, Now now);
  [[nodiscard]] ProgramRequest request_for(std::uint64_t id, std::string_view type,
                                           const ProgramLine& program,
                                           ProgramEnvironment environment) const;
  [[nodiscard]] ProgramEnvironment client_environment(const ClientFacts& client) const;

  void handle(ProgramEnd& end);
  void handle(ProgramDeferred& deferred);
  void handle(FileRead& read);
  /// None of the desk's.
  void handle(FileOpened&) {}
  void handle(HelperRestarted& restarted);
  /// The request about a client's password has ended. A newer one of the same client stays.
  void forget_password_request(ClientId client, std::uint64_t id);
  void answer(const Open& open, PlaneAnswer said);
  void warn_of(const Open& open, const ProgramEnd& end);

  const ServerConfig& config_;
  ServerFacts server_;
  std::uint64_t request_count_ = 0;
  std::uint64_t lost_news_ = 0;
  std::unordered_map<std::uint64_t, Open> open_;
  /// Which request asks a question.
  std::unordered_map<std::uint64_t, std::uint64_t> by_question_;
  /// Which request asks about a client's password: a challenge's program may decide there.
  std::unordered_map<std::uint64_t, std::uint64_t> password_request_of_;
  std::deque<HelperRequest> requests_;
  std::deque<DeskAnswer> answers_;
  std::deque<std::string> warnings_;
};

}  // namespace ringway
