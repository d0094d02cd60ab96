#include "control/command_queue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace ringway {
namespace {

constexpr int kPollMs = 5;

/// A file without a name, from its beginning.
UniqueFd memory_file(std::string_view text) {
  UniqueFd fd(::memfd_create("ringway-command", MFD_CLOEXEC));
  if (!fd) return fd;
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return UniqueFd();
  }
  return fd;
}

std::string output_of(const UniqueFd& file) {
  std::string text(CommandQueue::kOutputMax, '\0');
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// The pointers that exec() wants; valid as long as `words`.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// A child with our environment and `command`'s, and none of our signal mask. 0, or an errno.
int spawn(Command& command, const UniqueFd& input, const UniqueFd& output, pid_t& pid) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  environment.insert(environment.end(), command.environment.begin(), command.environment.end());
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDERR_FILENO);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  // A group of its own: a Ctrl-C at the terminal is for us, and a child's children end with it.
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int error =
      ::posix_spawnp(&pid, command.words[0].c_str(), &actions, &attributes,
                     pointers_to(command.words).data(), pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

void CommandQueue::add(Command command, Done done) {
  if (waiting_.size() == kCommandsMax) {
    return done({.output = fmt::format("more than {} commands wait", kCommandsMax)});
  }
  waiting_.push_back({std::move(command), std::move(done)});
  turn();
}

void CommandQueue::start(Entry entry) {
  const UniqueFd input = memory_file(entry.command.input);
  UniqueFd output = memory_file({});
  if (!input || !output) return entry.done({.output = std::strerror(errno)});
  pid_t pid = -1;
  const int error = spawn(entry.command, input, output, pid);
  if (error != 0) {
    return entry.done(
        {.output = fmt::format("{}: {}", entry.command.words[0], std::strerror(error))});
  }
  running_.emplace(Running{.pid = pid,
                           .output = std::move(output),
                           .give_up = monotonic_now() + kTimeMax,
                           .done = std::move(entry.done)});
}

void CommandQueue::turn() {
  if (running_) {
    int status = 0;
    const pid_t ended = ::waitpid(running_->pid, &status, WNOHANG);
    if (ended == 0 && monotonic_now() < running_->give_up) return;
    CommandEnd end;
    if (ended == 0) {
      ::kill(-running_->pid, SIGKILL);
      ::waitpid(running_->pid, &status, 0);
      end.output = fmt::format("killed, as it took longer than {} seconds", kTimeMax / 1s);
    } else {
      end.status = ended == running_->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      end.output = output_of(running_->output);
    }
    const Done done = std::move(running_->done);
    running_.reset();
    done(end);
  }
  while (!running_ && !waiting_.empty()) {
    Entry next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
}

void CommandQueue::finish() {
  for (turn(); !is_idle(); turn()) ::poll(nullptr, 0, kPollMs);
}

CommandEnd run_command(Command command) {
  CommandEnd ended;
  CommandQueue queue;
  queue.add(std::move(command), [&](const CommandEnd& end) { ended = end; });
  queue.finish();
  return ended;
}

bool has_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = fmt::format("{}/{}", rest.substr(0, end), name);
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace ringway
