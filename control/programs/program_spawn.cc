#include "control/programs/program_spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/secret_text.h"

namespace ringway {
namespace {

constexpr int kExitNotRun = 127;

/// The pointers that exec() wants; valid as long as `texts`.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void end_child(const char* what) {
  const std::string text = fmt::format("{}: {}\n", what, std::strerror(errno));
  static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
  ::_exit(kExitNotRun);
}

void take_identity(const ProgramIdentity& identity) {
  if (::geteuid() != 0 || (!identity.user && !identity.group)) return;
  const gid_t group = identity.group.value_or(::getegid());
  if (::setgroups(1, &group) != 0 || ::setgid(group) != 0) end_child("cannot change the group");
  if (identity.user && ::setuid(*identity.user) != 0) end_child("cannot change the user");
}

/// In the child: everything that a program must not inherit goes.
[[noreturn]] void become_program(const std::vector<char*>& words,
                                 const std::vector<char*>& environment, int output,
                                 const ProgramIdentity& identity) {
  ::setpgid(0, 0);
  const int none = ::open("/dev/null", O_RDONLY);
  ::dup2(none, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  // All of ours close themselves at exec(); what we did not open might not (security goal D05).
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
    ::signal(signal, SIG_DFL);
  }
  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
  take_identity(identity);
  ::execve(words[0], words.data(), environment.data());
  end_child(words[0]);
}

}  // namespace

Result<SpawnedProgram> spawn_program(const ProgramRequest& request,
                                     const ProgramIdentity& identity) {
  if (request.words.empty()) return fail("there is no program");
  std::vector<std::string> words = request.words;
  std::vector<std::string> environment = request.environment;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(std::strerror(errno), "pipe");
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);

  const std::vector<char*> word_pointers = pointers_to(words);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(std::strerror(errno), "fork");
  if (pid == 0) become_program(word_pointers, environment_pointers, write_end.get(), identity);
  // Also here, for whoever kills the group before the child has got so far.
  ::setpgid(pid, pid);
  wipe_texts(environment);
  UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!ended) {
    const int error = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(std::strerror(error), "pidfd_open");
  }
  return SpawnedProgram{.pid = pid, .ended = std::move(ended), .output = std::move(read_end)};
}

void wipe_texts(std::vector<std::string>& texts) {
  for (std::string& text : texts) wipe(text);
}

}  // namespace ringway
