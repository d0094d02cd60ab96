#include "control/command_queue.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace ringway {
namespace {

Command shell(const std::string& text) { return {.words = {"sh", "-c", text}}; }

TEST(CommandQueue, GivesInputAndEnvironmentAndTakesOutput) {
  Command command = shell("read line; echo \"$line $NAME\"; echo more >&2; exit 3");
  command.input = "hello\n";
  command.environment = {"NAME=world"};
  const CommandEnd end = run_command(command);
  EXPECT_EQ(end.status, 3);
  EXPECT_FALSE(end.succeeded());
  EXPECT_EQ(end.output, "hello world\nmore");
}

TEST(CommandQueue, RunsOneAfterAnother) {
  std::string order;
  CommandQueue queue;
  for (const char* text : {"echo a", "echo b", "echo c"}) {
    queue.add(shell(text), [&](const CommandEnd& end) { order += end.output; });
  }
  EXPECT_FALSE(queue.is_idle());
  queue.finish();
  EXPECT_TRUE(queue.is_idle());
  EXPECT_EQ(order, "abc");
}

TEST(CommandQueue, TakesCommandsFromTheEndOfAnother) {
  std::string order;
  CommandQueue queue;
  queue.add(shell("echo a"), [&](const CommandEnd& first) {
    order += first.output;
    queue.add(shell("echo b"), [&](const CommandEnd& second) { order += second.output; });
  });
  queue.finish();
  EXPECT_EQ(order, "ab");
}

TEST(CommandQueue, SaysWhatCannotBeStarted) {
  const CommandEnd end = run_command({.words = {"no-such-program-here"}});
  EXPECT_EQ(end.status, -1);
  EXPECT_NE(end.output.find("no-such-program-here"), std::string::npos);
}

/// A pipe with a name: who reads it waits until somebody opens it for writing.
class NamedPipe {
 public:
  NamedPipe() {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/pipe";
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  }
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;
  ~NamedPipe() {
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }

  [[nodiscard]] Command reader() const { return {.words = {"cat", path_}}; }
  void release() const { const UniqueFd writer(::open(path_.c_str(), O_WRONLY | O_CLOEXEC)); }

 private:
  std::string directory_ = ::testing::TempDir() + "queue-XXXXXX";
  std::string path_;
};

TEST(CommandQueue, DoesNotWaitWhileACommandRuns) {
  const NamedPipe pipe;
  CommandQueue queue;
  bool is_done = false;
  queue.add(pipe.reader(), [&](const CommandEnd&) { is_done = true; });

  queue.turn();
  EXPECT_FALSE(is_done);

  pipe.release();
  queue.finish();
  EXPECT_TRUE(is_done);
}

TEST(CommandQueue, RefusesMoreThanItsLimit) {
  const NamedPipe pipe;
  CommandQueue queue;
  std::size_t refused = 0;
  const auto count = [&](const CommandEnd& end) { refused += end.succeeded() ? 0 : 1; };
  queue.add(pipe.reader(), count);
  for (std::size_t i = 0; i < CommandQueue::kCommandsMax; ++i) queue.add(shell("exit 0"), count);
  EXPECT_EQ(refused, 0u);

  queue.add(shell("exit 0"), count);
  EXPECT_EQ(refused, 1u);

  pipe.release();
  queue.finish();
  EXPECT_EQ(refused, 1u);
}

TEST(CommandQueue, KnowsWhichProgramsThereAre) {
  EXPECT_TRUE(has_program("sh"));
  EXPECT_FALSE(has_program("no-such-program-here"));
}

}  // namespace
}  // namespace ringway
