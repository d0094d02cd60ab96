#include "control/programs/helper_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "control/programs/helper_link.h"
#include "control/programs/program_runner.h"

/// A helper process with real programs.
namespace ringway {
namespace {

constexpr Duration kPatience = 20s;

class HelperProcessTest : public ::testing::Test {
 protected:
  HelperProcessTest() {
    char name[] = "/tmp/ringway-helper-test.XXXXXX";
    directory_ = ::mkdtemp(name);
    ::chmod(directory_.c_str(), 0777);
  }
  ~HelperProcessTest() override {
    link_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void start(ProgramIdentity identity = {}) {
    auto end = start_helper({.identity = identity,
                             .directory = directory_,
                             .programs = {{"/bin/sh"},
                                          {"/does/not/exist"},
                                          {"/bin/ls"},
                                          {"/usr/bin/env"},
                                          {"/bin/echo"},
                                          {"/bin/true", "first"}},
                             .privileged_programs = {{"/bin/sh"}},
                             .client_directory = directory_,
                             .client_directory_is_exclusive = true,
                             .revocations = directory_ + "/lists/crl.pem"},
                            [] {});
    ASSERT_TRUE(end) << end.error().to_string();
    keeper_ = end->keeper;
    link_ = std::make_unique<HelperLink>(std::move(*end));
  }

  ProgramRequest shell(std::string command) {
    ProgramRequest request;
    request.id = ++ids_;
    request.words = {"/bin/sh", "-c", std::move(command), "program"};
    request.environment = {"PATH=/usr/bin:/bin"};
    return request;
  }

  template <typename Report = ProgramEnd>
  Report next() {
    const Instant give_up = monotonic_now() + kPatience;
    while (monotonic_now() < give_up) {
      auto report = link_->receive_within(give_up - monotonic_now());
      if (!report) break;
      if (auto* wanted = std::get_if<Report>(&*report)) return std::move(*wanted);
      ADD_FAILURE() << "another report";
    }
    ADD_FAILURE() << "no report";
    return {};
  }
  ProgramEnd run(ProgramRequest request) {
    EXPECT_TRUE(link_->send(std::move(request)));
    return next();
  }

  std::string directory_;
  std::unique_ptr<HelperLink> link_;
  pid_t keeper_ = -1;
  std::uint64_t ids_ = 0;
};

TEST_F(HelperProcessTest, SaysHowAProgramEnded) {
  start();
  EXPECT_EQ(run(shell("exit 0")).status, 0);
  EXPECT_EQ(run(shell("exit 3")).status, 3);
  EXPECT_EQ(run(shell("kill -9 $$")).status, -1);
  EXPECT_EQ(run(shell("echo said; echo more >&2")).output, "said\nmore\n");
}

TEST_F(HelperProcessTest, SaysWhyAProgramCannotBeRun) {
  start();
  ProgramRequest request = shell("");
  request.words = {"/does/not/exist"};
  const ProgramEnd end = run(request);
  EXPECT_EQ(end.status, 127);
  EXPECT_NE(end.output.find("/does/not/exist: No such file"), std::string::npos) << end.output;
}

// D05: a program has standard input, output and error, and nothing else of ours.
TEST_F(HelperProcessTest, GivesAProgramThreeDescriptors) {
  start();
  ProgramRequest request = shell("");
  // The third is the directory that ls itself has open.
  request.words = {"/bin/ls", "/proc/self/fd"};
  EXPECT_EQ(run(request).output, "0\n1\n2\n3\n");
}

// B16: the environment is built from nothing, and arguments reach no shell.
TEST_F(HelperProcessTest, GivesAProgramTheEnvironmentOfTheRequestAlone) {
  ::setenv("RINGWAY_TEST_LEAK", "1", 1);
  start();
  ProgramRequest request = shell("");
  request.words = {"/usr/bin/env"};
  request.environment = {"A=$(id)", "B=; reboot"};
  EXPECT_EQ(run(request).output, "A=$(id)\nB=; reboot\n");
  request.id = ++ids_;
  request.words = {"/bin/echo", "$(id)", "`id`"};
  EXPECT_EQ(run(request).output, "$(id) `id`\n");
}

TEST_F(HelperProcessTest, GivesAProgramTheRightsOfItsUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  start({.user = 65534, .group = 65534});
  EXPECT_EQ(run(shell("id -u; id -g; id -G")).output, "65534\n65534\n65534\n");
  ProgramRequest privileged = shell("id -u");
  privileged.is_privileged = true;
  EXPECT_EQ(run(privileged).output, "0\n");
}

TEST_F(HelperProcessTest, LetsAProgramTalkByFiles) {
  start();
  ProgramRequest request = shell("cat $2; echo $2 | grep -q /ringway_up_ && echo yes > $BACK");
  request.words.push_back("first");
  request.files = {{.variable = "BACK", .prefix = "acf", .content = ""},
                   {.variable = "", .prefix = "up", .content = "hello\n", .is_argument = true}};
  const ProgramEnd end = run(request);

  EXPECT_EQ(end.output, "hello\n");
  ASSERT_EQ(end.files.size(), 2u);
  EXPECT_EQ(end.files[0].content, "yes\n");
  // What it was told may be a password: it is not carried back.
  EXPECT_EQ(end.files[1].content, "");
  // Nothing of it stays.
  EXPECT_EQ(run(shell("ls " + directory_)).output, "");
}

TEST_F(HelperProcessTest, ReadsNoFileThatTheProgramCouldNotRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  start({.user = 65534, .group = 65534});
  ProgramRequest request = shell("rm $BACK; ln -s /etc/shadow $BACK");
  request.files = {{.variable = "BACK", .prefix = "afr", .content = ""}};
  EXPECT_EQ(run(request).files.at(0).content, "");
}

TEST_F(HelperProcessTest, WaitsForAVerdictThatIsPutOff) {
  start();
  ProgramRequest request =
      shell("printf '60\\nwebauth\\nOPEN_URL:x\\n' > $APF; (while [ ! -e " + directory_ +
            "/go ]; do sleep 0.05; done; echo why > $AFR; printf 1 > $ACF) & exit 2");
  request.deferral = Deferral::ByStatus;
  request.files = {{.variable = "ACF", .prefix = "acf", .content = ""},
                   {.variable = "APF", .prefix = "apf", .content = ""},
                   {.variable = "AFR", .prefix = "afr", .content = ""}};
  ASSERT_TRUE(link_->send(request));
  EXPECT_EQ(next<ProgramDeferred>().notice, "60\nwebauth\nOPEN_URL:x\n");
  std::ofstream(directory_ + "/go") << "";

  const ProgramEnd end = next();
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.files.at(2).content, "why\n");
}

TEST_F(HelperProcessTest, KeepsNoPasswordWhileAVerdictIsPutOff) {
  start();
  ProgramRequest request = shell("exit 2");
  request.deferral = Deferral::ByStatus;
  request.files = {{.variable = "ACF", .prefix = "acf", .content = ""},
                   {.variable = "APF", .prefix = "apf", .content = "60\ncrtext\nx\n"},
                   {.variable = "", .prefix = "up", .content = "secret\n", .is_argument = true}};
  ASSERT_TRUE(link_->send(request));
  next<ProgramDeferred>();
  EXPECT_EQ(run(shell("cat " + directory_ + "/ringway_up_*")).output.find("secret"),
            std::string::npos);
}

TEST_F(HelperProcessTest, WaitsForAVerdictThatAFilePutsOff) {
  start();
  ProgramRequest request =
      shell("printf 2 > $CCD; (sleep 0.1; echo 'push x' > $CCF; printf 0 > $CCD) & exit 0");
  request.deferral = Deferral::ByFile;
  request.files = {{.variable = "CCD", .prefix = "ccr", .content = ""},
                   {.variable = "CCF", .prefix = "cc", .content = ""}};
  const ProgramEnd end = run(request);
  EXPECT_EQ(end.status, 1);
  EXPECT_EQ(end.files.at(1).content, "push x\n");
}

TEST_F(HelperProcessTest, RunsOthersWhileOneTakesLong) {
  start();
  ProgramRequest slow = shell("while [ ! -e " + directory_ + "/go ]; do sleep 0.05; done");
  slow.lane = "a";
  ProgramRequest behind = shell("exit 5");
  behind.lane = "a";
  ASSERT_TRUE(link_->send(slow));
  ASSERT_TRUE(link_->send(behind));
  EXPECT_EQ(run(shell("exit 4")).status, 4);
  std::ofstream(directory_ + "/go") << "";

  EXPECT_EQ(next().id, slow.id);
  EXPECT_EQ(next().status, 5);
}

TEST_F(HelperProcessTest, ReadsAClientsFile) {
  std::ofstream(directory_ + "/client1") << "disable";
  start();
  ReadRequest request{.id = 1, .common_name = "client1"};
  ASSERT_TRUE(link_->send(request));
  const FileRead read = next<FileRead>();
  EXPECT_EQ(read.text, "disable");
  EXPECT_EQ(read.where, directory_ + "/client1");
  EXPECT_EQ(read.fault, "");

  request.common_name = "client2";
  ASSERT_TRUE(link_->send(request));
  EXPECT_NE(next<FileRead>().fault, "");
}

// B11: with the rights of the start, and whatever the size.
TEST_F(HelperProcessTest, OpensTheRevocationsThatItsSettingsName) {
  const std::string text(3 * kHelperMessageMax, 'x');
  std::filesystem::create_directory(directory_ + "/lists");
  std::ofstream(directory_ + "/lists/crl.pem") << text;
  ::chmod((directory_ + "/lists").c_str(), 0700);
  ::chmod((directory_ + "/lists/crl.pem").c_str(), 0600);
  start({.user = 65534, .group = 65534});

  ASSERT_TRUE(link_->send(OpenRequest{}));
  const FileOpened opened = next<FileOpened>();
  ASSERT_TRUE(opened.file);
  std::string read(text.size() + 1, ' ');
  EXPECT_EQ(::read(opened.file.get(), read.data(), read.size()), std::ssize(text));

  std::filesystem::remove(directory_ + "/lists/crl.pem");
  ASSERT_TRUE(link_->send(OpenRequest{}));
  const FileOpened missing = next<FileOpened>();
  EXPECT_FALSE(missing.file);
  EXPECT_EQ(missing.error, ENOENT);
}

// D04: whoever has taken over the server gets no other program by asking.
TEST_F(HelperProcessTest, RunsNothingThatTheConfigurationDoesNotName) {
  start();
  ProgramRequest request = shell("");
  request.words = {"/usr/bin/id"};
  EXPECT_EQ(run(request).status, -1);
  request.words = {"/bin/true"};
  EXPECT_EQ(run(request).status, -1);
  request.words = {"/bin/true", "first", "second"};
  EXPECT_EQ(run(request).status, 0);
  request.is_privileged = true;
  EXPECT_EQ(run(request).status, -1);
}

// D04
TEST_F(HelperProcessTest, GivesNoProgramTheRightsOfTheStartOnceTheServerServes) {
  start();
  ProgramRequest privileged = shell("exit 0");
  privileged.is_privileged = true;
  EXPECT_EQ(run(privileged).status, 0);
  ASSERT_TRUE(link_->send(ServeRequest{}));
  EXPECT_EQ(run(privileged).status, -1);

  // Nor does a helper that was started later.
  ASSERT_TRUE(link_->send(shell("kill -9 $(ps -o ppid= -p $$)")));
  next<HelperRestarted>();
  EXPECT_EQ(run(privileged).status, -1);
}

TEST_F(HelperProcessTest, IsStartedAnewWhenItDies) {
  start();
  ASSERT_TRUE(link_->send(shell("kill -9 $(ps -o ppid= -p $$)")));
  next<HelperRestarted>();
  EXPECT_EQ(run(shell("exit 6")).status, 6);
}

TEST_F(HelperProcessTest, IsLostWithItsKeeper) {
  start();
  ASSERT_EQ(run(shell("exit 0")).status, 0);
  ::kill(keeper_, SIGKILL);
  EXPECT_FALSE(link_->receive_within(kPatience));
  EXPECT_TRUE(link_->is_lost());
  EXPECT_FALSE(link_->send(shell("exit 0")));
}

// The kernel forgets whom a process dies with when its ids change.
TEST_F(HelperProcessTest, IsLostWithItsKeeperAfterItHasMadeFilesToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  start({.user = 65534, .group = 65534});
  ProgramRequest request = shell("exit 0");
  request.files = {{.variable = "FILE", .prefix = "cc", .content = ""}};
  ASSERT_EQ(run(request).status, 0);
  ::kill(keeper_, SIGKILL);
  EXPECT_FALSE(link_->receive_within(kPatience));
  EXPECT_TRUE(link_->is_lost());
}

TEST_F(HelperProcessTest, FinishesWhatItHasWhenItIsTold) {
  start();
  ASSERT_TRUE(link_->send(shell("sleep 0.2; echo done > " + directory_ + "/done")));
  link_.reset();
  EXPECT_EQ(::access((directory_ + "/done").c_str(), R_OK), 0);
}

}  // namespace
}  // namespace ringway
