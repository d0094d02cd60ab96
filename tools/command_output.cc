#include "tools/command_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/unique_fd.h"

namespace ringway {
namespace {

constexpr std::size_t kOutputSizeMax = std::size_t{16} << 20;

struct Child {
  pid_t pid = -1;
  UniqueFd output;
};

std::string path_of(const std::string& name) {
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/local/sbin/"}) {
    std::string path = folder + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

Result<Child> start(std::vector<std::string>& words) {
  const std::string path = path_of(words.front());
  if (path.empty()) return fail(fmt::format("`{}` is not installed", words.front()));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(std::strerror(errno));
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  Child child{.output = std::move(read_end)};
  const int failure =
      ::posix_spawn(&child.pid, path.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return fail(fmt::format("cannot start {}: {}", path, std::strerror(failure)));
  return child;
}

/// False when the deadline came first, or there is too much of it.
bool read_all(int fd, Instant deadline, std::string& text) {
  std::array<char, 16384> buffer;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_now());
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) return false;
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) return true;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || text.size() + static_cast<std::size_t>(count) > kOutputSizeMax) return false;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<std::string> output_of(std::vector<std::string> words, Duration patience) {
  Result<Child> child = start(words);
  if (!child) return std::unexpected(child.error());
  std::string text;
  const bool is_whole = read_all(child->output.get(), monotonic_now() + patience, text);
  if (!is_whole) ::kill(child->pid, SIGKILL);
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!is_whole) return fail(fmt::format("`{}` does not end", words.front()));
  if (status != 0) return fail(fmt::format("`{}` fails", words.front()));
  return text;
}

}  // namespace ringway
