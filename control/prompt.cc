#include "control/prompt.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "control/command_queue.h"

namespace ringway {
namespace {

constexpr const char* kAskProgram = "systemd-ask-password";

/// The terminal that we may read from: one that belongs to a foreground that is not ours would stop
/// us (SIGTTIN).
UniqueFd open_terminal() {
  UniqueFd fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd || ::tcgetpgrp(fd.get()) != ::getpgrp()) return UniqueFd();
  return fd;
}

/// sd_booted(3) says so.
bool is_systemd_there() {
  struct stat status{};
  return ::lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode) &&
         has_program(kAskProgram);
}

/// What a server wants to be shown must not steer the terminal, nor an option the program.
std::string shown(const std::string& text) {
  std::string clean = log::escape(text);
  if (clean.empty() || clean.starts_with('-')) clean = "Answer" + clean;
  return clean;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// The program with its standard output at `output`; 0 or an errno.
int spawn_asker(const LoginQuestion& question, int output, pid_t& pid) {
  std::vector<std::string> words = {kAskProgram, "--icon=network-vpn", "--timeout=0"};
  if (question.echoes) words.emplace_back("--echo");
  words.push_back(shown(question.text));
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawnattr_init(&attributes);
  // Our signals are blocked, as we read them from a descriptor.
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error =
      ::posix_spawnp(&pid, kAskProgram, &actions, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

bool Prompt::can_ask() { return static_cast<bool>(open_terminal()) || is_systemd_there(); }

Result<std::unique_ptr<Prompt>> Prompt::open(const LoginQuestion& question) {
  if (UniqueFd terminal = open_terminal()) {
    std::unique_ptr<Prompt> prompt(new Prompt(std::move(terminal)));
    prompt->ask_on_terminal(question);
    return prompt;
  }
  if (is_systemd_there()) return ask_by_systemd(question);
  return fail("nobody can be asked \"" + shown(question.text) +
                  "\": there is no terminal in the foreground, and systemd does not run here",
              {},
              "start the client on a terminal, or write `auth-user-pass FILE` (for a private key "
              "`askpass FILE`)");
}

void Prompt::ask_on_terminal(const LoginQuestion& question) {
  is_terminal_ = true;
  termios now{};
  if (!question.echoes && ::tcgetattr(fd(), &now) == 0) {
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    now.c_lflag |= ICANON;
    // While nothing is echoed we are not to be stopped: the shell would inherit that.
    now.c_cc[VSUSP] = _POSIX_VDISABLE;
    // What was typed before the question is no answer to it.
    ::tcsetattr(fd(), TCSAFLUSH, &now);
  }
  const std::string text = shown(question.text);
  write_all(fd(), text + (text.ends_with(':') ? " " : ": "));
}

Result<std::unique_ptr<Prompt>> Prompt::ask_by_systemd(const LoginQuestion& question) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  UniqueFd input(ends[0]);
  const UniqueFd output(ends[1]);
  ::fcntl(input.get(), F_SETFL, O_NONBLOCK);
  std::unique_ptr<Prompt> prompt(new Prompt(std::move(input)));
  if (const int error = spawn_asker(question, output.get(), prompt->program_); error != 0) {
    prompt->program_ = -1;
    return fail(std::string(kAskProgram) + ": " + std::strerror(error));
  }
  return prompt;
}

Prompt::~Prompt() {
  if (before_) {
    ::tcsetattr(fd(), TCSANOW, &*before_);
    // The user's own end of the line was not echoed.
    write_all(fd(), "\n");
  }
  if (program_ <= 0) return;
  ::kill(program_, SIGTERM);
  ::waitpid(program_, nullptr, 0);
}

/// A line of a terminal comes whole; the program writes its answer at once, or nothing when it was
/// refused or timed out.
Prompt::State Prompt::turn() {
  std::array<char, SecretText::kSizeMax + 1> buffer;
  const ssize_t count = ::read(fd(), buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return State::Waiting;
  if (count <= 0) return State::Refused;
  std::string_view text(buffer.data(), static_cast<std::size_t>(count));
  text = text.substr(0, text.find_first_of("\r\n"));
  line_ = SecretText(text);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size()));
  return State::Answered;
}

}  // namespace ringway
