#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/unique_fd.h"

namespace ringway {

/// A program of the system and what it is given. Value.
struct Command {
  /// The program, looked for in PATH unless it has a slash, and its arguments.
  std::vector<std::string> words;
  std::string input;
  /// Besides ours, each "NAME=VALUE".
  std::vector<std::string> environment;
};

/// How a command ended. Value.
struct CommandEnd {
  /// Exit status; -1: it could not be started, was killed, or took too long.
  int status = -1;
  /// What it wrote, the first kOutputMax bytes; or why it could not be started.
  std::string output;
  [[nodiscard]] bool succeeded() const { return status == 0; }
};

/// Runs commands one after another, while its owner goes on with its own work.
///
/// SHELL: one thread; starts processes. A command that takes longer than kTimeMax is killed.
class CommandQueue {
 public:
  using Done = std::function<void(const CommandEnd&)>;
  static constexpr Duration kTimeMax = 20s;
  static constexpr std::size_t kOutputMax = 2048;
  static constexpr std::size_t kCommandsMax = 64;

  CommandQueue() = default;
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;
  /// Waits for what is running or queued.
  ~CommandQueue() { finish(); }

  /// `done` is called from turn() or finish(). Beyond kCommandsMax, at once and with a failure.
  void add(Command command, Done done);
  /// Looks after the running command and starts the next. Does not block; cheap when idle.
  void turn();
  /// Until nothing is left to do.
  void finish();
  [[nodiscard]] bool is_idle() const { return !running_ && waiting_.empty(); }

 private:
  struct Entry {
    Command command;
    Done done;
  };
  struct Running {
    pid_t pid = -1;
    UniqueFd output;
    Instant give_up;
    Done done;
  };
  void start(Entry entry);

  std::deque<Entry> waiting_;
  std::optional<Running> running_;
};

/// Runs one command and waits for its end.
CommandEnd run_command(Command command);

/// Whether PATH has the program.
bool has_program(const std::string& name);

}  // namespace ringway
