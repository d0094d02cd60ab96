#include "control/programs/server_programs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "control/config/config_parser.h"
#include "control/programs/program_runner.h"

namespace ringway {
namespace {

/// How often the log speaks of what programs were not told.
constexpr Duration kLostNewsInterval = 60s;
/// More than the helper lets a program run.
constexpr Duration kProgramPatience = ProgramRunner::kTimeMax + 5s;

std::array<const ProgramLine*, 10> programs_of(const ServerConfig& config) {
  const ProgramConfig& programs = config.programs;
  return {&programs.client_key, &programs.certificate, &programs.password,  &programs.connect,
          &programs.disconnect, &programs.learn,       &programs.challenge, &programs.up,
          &programs.route_up,   &programs.down};
}

Result<void> check_programs_exist(const ServerConfig& config) {
  for (const ProgramLine* program : programs_of(config)) {
    if (!program->is_set() || ::access(program->words[0].c_str(), X_OK) == 0) continue;
    return fail(fmt::format("{} cannot be run: {}", program->words[0], std::strerror(errno)),
                program->where, "write the whole path of an executable file");
  }
  return {};
}

std::string directory_of(const ServerConfig& config) {
  if (!config.programs.directory.empty()) return config.programs.directory;
  const char* directory = std::getenv("TMPDIR");
  return directory == nullptr ? "/tmp" : directory;
}

/// Whether somebody is let in or not by what the helper says.
bool has_verdicts(const ServerConfig& config) {
  if (!config.client_config_directory.empty()) return true;
  return std::ranges::any_of(programs_of(config), &ProgramLine::is_set);
}

std::string revocations_of(const ServerConfig& config) {
  return config.tls.crl.is_inline ? std::string() : config.tls.crl.path;
}

HelperSettings settings_for(const ServerConfig& config, const ProgramIdentity& identity) {
  HelperSettings settings;
  settings.identity = identity;
  settings.directory = directory_of(config);
  settings.client_directory = config.client_config_directory;
  settings.client_directory_is_exclusive = config.client_config_exclusive;
  settings.revocations = revocations_of(config);
  for (const ProgramLine* program : programs_of(config)) {
    settings.programs.push_back(program->words);
  }
  for (const ProgramLine* program : {&config.programs.up, &config.programs.route_up}) {
    settings.privileged_programs.push_back(program->words);
  }
  return settings;
}

}  // namespace

bool needs_helper(const ServerConfig& config) {
  return has_verdicts(config) || !revocations_of(config).empty();
}

Result<HelperEnd> start_helper_for(ServerConfig& config) {
  if (!needs_helper(config)) return HelperEnd{};
  if (auto exist = check_programs_exist(config); !exist) return std::unexpected(exist.error());
  Result<ProgramIdentity> identity = look_up_identity(config.user, config.group);
  if (!identity) return std::unexpected(identity.error());
  return start_helper(settings_for(config, *identity), [&config] { wipe_secrets(config); });
}

ServerPrograms::ServerPrograms(const ServerConfig& config, HelperEnd helper)
    : config_(config), link_(std::move(helper)) {}

ServerPrograms::~ServerPrograms() {
  if (!desk_ || !config_.programs.down.is_set()) return;
  if (auto ran = run_and_wait("down", config_.programs.down, false); !ran) {
    log::warning("{}", log::escape(ran.error().to_string()));
  }
}

Result<void> ServerPrograms::start(const std::string& device) {
  desk_.emplace(config_,
                ServerFacts{.device = device, .process_id = ::getpid(), .started = wall_now()});
  const ProgramConfig& programs = config_.programs;
  if (programs.up.is_set()) {
    if (auto ran = run_and_wait("up", programs.up, true); !ran) return ran;
  }
  if (programs.route_up.is_set()) {
    if (auto ran = run_and_wait("route-up", programs.route_up, true); !ran) {
      log::warning("{}", log::escape(ran.error().to_string()));
    }
  }
  static_cast<void>(link_.send(ServeRequest{}));
  return {};
}

Result<void> ServerPrograms::run_and_wait(std::string_view type, const ProgramLine& program,
                                          bool is_privileged) {
  const Instant give_up = monotonic_now() + kProgramPatience;
  std::string why = "the helper process is gone";
  if (link_.send(desk_->server_program(type, program, is_privileged))) {
    while (auto report = link_.receive_within(give_up - monotonic_now())) {
      const ProgramEnd* end = std::get_if<ProgramEnd>(&*report);
      if (end == nullptr || end->id != 0) continue;
      if (end->status == 0) return {};
      why = fmt::format("exit status {}: {}", end->status, end->output);
      break;
    }
  }
  return fail(fmt::format("`{}` failed ({})", type, why), program.where,
              "correct the program, or delete the line");
}

void ServerPrograms::ask(ControlPlane& plane, const WorkerGroup& workers, Now now) {
  if (!desk_) return;
  do {
    while (std::optional<PlaneQuestion> question = plane.poll_question()) {
      TrafficTotals totals;
      if (question->facts.peer_id.is_set()) {
        if (const auto traffic = workers.traffic().of(question->facts.peer_id)) {
          totals = {.bytes_received = traffic->bytes_received, .bytes_sent = traffic->bytes_sent};
        }
      }
      desk_->handle_question(std::move(*question), totals, now);
    }
    while (const auto withdrawn = plane.poll_withdrawn_question()) {
      desk_->handle_withdrawn(*withdrawn);
    }
    send_requests();
  } while (give_answers(plane, now));
}

void ServerPrograms::take_answers(ControlPlane& plane, Now now) {
  if (!desk_) return;
  link_.flush();
  while (std::optional<HelperReport> report = link_.receive()) take_report(std::move(*report));
  note_loss();
  warn_of_lost_news(now);
  give_answers(plane, now);
}

void ServerPrograms::take_report(HelperReport report) {
  if (auto* opened = std::get_if<FileOpened>(&report)) {
    is_opening_ = false;
    opened_ = std::move(*opened);
    return;
  }
  // The next one has not been asked.
  if (std::holds_alternative<HelperRestarted>(report)) is_opening_ = false;
  desk_->handle_report(std::move(report));
  send_requests();
}

bool ServerPrograms::ask_to_open() {
  if (!is_opening_) is_opening_ = link_.send(OpenRequest{});
  return !link_.is_lost();
}

void ServerPrograms::send_requests() {
  while (std::optional<HelperRequest> request = desk_->poll_request()) {
    if (!link_.send(*request)) desk_->handle_unsent(*request);
  }
  note_loss();
  write_log();
}

bool ServerPrograms::give_answers(ControlPlane& plane, Now now) {
  bool has_some = false;
  while (std::optional<DeskAnswer> answer = desk_->poll_answer()) {
    has_some = true;
    if (const auto* said = std::get_if<PlaneAnswer>(&answer->said)) {
      plane.handle_answer(answer->question, *said, now);
    } else {
      plane.handle_pending(answer->question, std::get<AnswerPending>(answer->said), now);
    }
  }
  write_log();
  return has_some;
}

void ServerPrograms::note_loss() {
  if (!link_.is_lost() || is_loss_told_ || !needs_helper(config_)) return;
  is_loss_told_ = true;
  is_opening_ = false;
  if (!has_verdicts(config_)) {
    log::error(
        "the helper process is gone: crl-verify is read with what rights are left; restart "
        "the server");
    return;
  }
  log::error(
      "the helper process is gone, and with it what decides about clients: nobody is let in "
      "any more; restart the server");
  desk_->refuse_all("the helper process is gone");
}

void ServerPrograms::write_log() {
  while (const auto warning = desk_->poll_warning()) log::warning("{}", log::escape(*warning));
}

void ServerPrograms::warn_of_lost_news(Now now) {
  const std::uint64_t lost = desk_->lost_news();
  if (lost == told_lost_news_) return;
  if (lost_news_told_at_ && now.instant - *lost_news_told_at_ < kLostNewsInterval) return;
  log::warning(
      "programs were not told of {} departures of clients (client-disconnect, learn-address "
      "delete), "
      "{} in all: too many wait to be run",
      lost - told_lost_news_, lost);
  told_lost_news_ = lost;
  lost_news_told_at_ = now.instant;
}

void ServerPrograms::finish() {
  if (!desk_) return;
  const Instant give_up = monotonic_now() + kFarewellMax;
  while (desk_->open_count() > 0) {
    std::optional<HelperReport> report = link_.receive_within(give_up - monotonic_now());
    if (!report) break;
    take_report(std::move(*report));
  }
}

}  // namespace ringway
