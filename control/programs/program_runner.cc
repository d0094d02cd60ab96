#include "control/programs/program_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/secret_text.h"
#include "control/programs/program_spawn.h"

namespace ringway {
namespace {

/// A verdict is the first character of its file.
constexpr std::size_t kVerdictSize = 1;
/// What a program exits with to say that it will decide later.
constexpr int kExitDeferred = 2;

/// Reads what is there; false at the end.
bool drain(int fd, std::string* text) {
  // Whoever writes without end shall not keep the others waiting.
  constexpr int kReadsMax = 16;
  std::array<char, 4096> piece;
  for (int reads = 0; reads < kReadsMax; ++reads) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (text == nullptr) continue;
    const std::size_t room = ProgramRunner::kOutputMax - text->size();
    text->append(piece.data(), std::min(static_cast<std::size_t>(got), room));
  }
  return true;
}

}  // namespace

ProgramRunner::ProgramRunner(ProgramIdentity identity, std::string directory)
    : identity_(identity), directory_(std::move(directory)) {}

ProgramRunner::~ProgramRunner() {
  for (const Running& program : running_) ::kill(-program.pid, SIGKILL);
}

void ProgramRunner::add(ProgramRequest request) {
  const std::uint64_t id = request.id;
  if (queue_.add(std::move(request))) return;
  report({.id = id,
          .status = kProgramNotTaken,
          .output = fmt::format("{} programs wait to be run, and more are not taken",
                                ProgramQueue::kWaitingMax),
          .files = {}});
}

void ProgramRunner::forget(std::uint64_t id) {
  if (queue_.forget(id)) return;
  if (std::erase_if(deferred_, [id](const Deferred& d) { return d.id == id; }) > 0) return;
  const auto same = [id](const Running& program) { return program.request.id == id; };
  if (std::ranges::any_of(running_, same)) forgotten_.insert(id);
}

void ProgramRunner::fill(std::vector<pollfd>& waiting) const {
  for (const Running& program : running_) {
    waiting.push_back({.fd = program.ended.get(), .events = POLLIN, .revents = 0});
    waiting.push_back({.fd = program.output.get(), .events = POLLIN, .revents = 0});
  }
  for (const UniqueFd& fd : drains_) {
    waiting.push_back({.fd = fd.get(), .events = POLLIN, .revents = 0});
  }
}

std::optional<Instant> ProgramRunner::next_deadline() const {
  std::optional<Instant> next;
  for (const Running& program : running_) {
    if (!program.was_killed && (!next || program.give_up < *next)) next = program.give_up;
  }
  if (!deferred_.empty() && (!next || next_look_ < *next)) next = next_look_;
  return next;
}

std::optional<HelperReport> ProgramRunner::poll() {
  if (reports_.empty()) return std::nullopt;
  HelperReport first = std::move(reports_.front());
  reports_.pop_front();
  return first;
}

void ProgramRunner::turn(Instant now) {
  std::erase_if(running_, [&](Running& program) { return look_at(program, now); });
  std::erase_if(drains_, [](const UniqueFd& fd) { return !drain(fd.get(), nullptr); });
  if (now >= next_look_) {
    next_look_ = now + kLookInterval;
    look_at_deferred(now);
  }
  start_next(now);
}

void ProgramRunner::start_next(Instant now) {
  while (std::optional<ProgramRequest> request = queue_.next()) start(std::move(*request), now);
}

void ProgramRunner::start(ProgramRequest request, Instant now) {
  static const ProgramIdentity kOwn;
  const ProgramIdentity& identity = request.is_privileged ? kOwn : identity_;
  const auto give_up = [&](std::string why) {
    queue_.end(request);
    report({.id = request.id, .output = std::move(why), .files = {}});
  };
  Result<ProgramFiles> files = ProgramFiles::make(directory_, request.files, identity);
  if (!files) return give_up(files.error().to_string());
  for (const Deferred& deferred : deferred_) {
    if (deferred.id == request.files_of) deferred.files.add_variables(request.environment);
  }
  files->add_to(request);
  Result<SpawnedProgram> spawned = spawn_program(request, identity);
  if (!spawned) return give_up(spawned.error().to_string());
  // Passwords among them.
  wipe_texts(request.environment);
  for (ProgramFile& file : request.files) wipe(file.content);
  running_.push_back({.request = std::move(request),
                      .files = std::move(*files),
                      .pid = spawned->pid,
                      .ended = std::move(spawned->ended),
                      .output = std::move(spawned->output),
                      .text = {},
                      .give_up = now + kTimeMax});
}

bool ProgramRunner::look_at(Running& program, Instant now) {
  if (program.output && !drain(program.output.get(), &program.text)) program.output.reset();
  int status = 0;
  if (::waitpid(program.pid, &status, WNOHANG) == program.pid) {
    finish(program, WIFEXITED(status) ? WEXITSTATUS(status) : -1, now);
    return true;
  }
  if (now >= program.give_up && !program.was_killed) {
    ::kill(-program.pid, SIGKILL);
    program.was_killed = true;
  }
  return false;
}

void ProgramRunner::finish(Running& program, int status, Instant now) {
  queue_.end(program.request);
  if (program.output && drains_.size() < kDrainsMax) drains_.push_back(std::move(program.output));
  const std::uint64_t id = program.request.id;
  if (forgotten_.erase(id) > 0) return;
  const Deferral deferral = program.request.deferral;
  const bool is_put_off = (deferral == Deferral::ByStatus && status == kExitDeferred) ||
                          (deferral == Deferral::ByFile && status == 0 &&
                           program.files.read(0, kVerdictSize).starts_with('2'));
  if (is_put_off && deferred_.size() < kDeferredMax) {
    if (deferral == Deferral::ByStatus) {
      reports_.emplace_back(ProgramDeferred{.id = id, .notice = program.files.read(1)});
    }
    program.files.remove_given();
    deferred_.push_back({.id = id,
                         .deferral = deferral,
                         .files = std::move(program.files),
                         .give_up = now + kDeferralMax});
    next_look_ = std::min(next_look_, now + kLookInterval);
    return;
  }
  // A verdict for which there is no room is no yes.
  const bool is_refused =
      deferral == Deferral::ByFile && program.files.read(0, kVerdictSize).starts_with('0');
  if (status == 0 && (is_put_off || is_refused)) status = 1;
  std::string text = std::move(program.text);
  if (program.was_killed) {
    text = fmt::format("killed, as it took longer than {} seconds", kTimeMax / 1s);
  }
  report(
      {.id = id, .status = status, .output = std::move(text), .files = program.files.read_all()});
}

void ProgramRunner::look_at_deferred(Instant now) {
  std::erase_if(deferred_, [&](Deferred& waiting) {
    const std::string verdict = waiting.files.read(0, kVerdictSize);
    const bool is_decided = verdict.starts_with('0') || verdict.starts_with('1');
    if (!is_decided && now < waiting.give_up) return false;
    ProgramEnd end{.id = waiting.id,
                   .status = verdict.starts_with('1') ? 0 : 1,
                   .output = {},
                   .files = waiting.files.read_all()};
    if (!is_decided) end.output = "its verdict did not come";
    report(std::move(end));
    return true;
  });
}

}  // namespace ringway
