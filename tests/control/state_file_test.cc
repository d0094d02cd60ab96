#include "control/state_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ringway {
namespace {

/// A directory of its own for each test.
class StateFileTest : public ::testing::Test {
 protected:
  StateFileTest() {
    std::string name = ::testing::TempDir() + "ringway-state.XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~StateFileTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path(const char* name) const { return directory_ + "/" + name; }
  static std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  std::string directory_;
};

TEST_F(StateFileTest, ReplacesTheWholeText) {  // D06
  StateFile file("status", path("status"));
  ASSERT_TRUE(file.open());

  EXPECT_TRUE(file.write("a long first text\n", {}));
  EXPECT_TRUE(file.write("short\n", {}));

  EXPECT_EQ(text_of(path("status")), "short\n");
  EXPECT_EQ(file.read(), "short\n");
  EXPECT_FALSE(std::filesystem::exists(path("status.new")));
}

// Security goal R24.
TEST_F(StateFileTest, RemovesTheFileThatItMadeForAServerThatNeverRan) {
  {
    ASSERT_TRUE(StateFile("status", path("status")).open());
  }
  EXPECT_FALSE(std::filesystem::exists(path("status")));

  std::ofstream(path("leases")) << "client1,10.77.0.2,\n";
  {
    ASSERT_TRUE(StateFile("ifconfig-pool-persist", path("leases")).open());
  }
  EXPECT_EQ(text_of(path("leases")), "client1,10.77.0.2,\n");
}

TEST_F(StateFileTest, ReadsWhatAnEarlierRunHasLeft) {
  std::ofstream(path("leases")) << "client1,10.77.0.2,\n";
  StateFile file("ifconfig-pool-persist", path("leases"));
  ASSERT_TRUE(file.open());

  EXPECT_EQ(file.read(), "client1,10.77.0.2,\n");
}

TEST_F(StateFileTest, KeepsTheModeThatTheOperatorHasSet) {
  std::ofstream(path("status")) << "";
  ASSERT_EQ(::chmod(path("status").c_str(), 0644), 0);
  StateFile file("status", path("status"));
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.write("text\n", {}));

  struct stat status{};
  ASSERT_EQ(::stat(path("status").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST_F(StateFileTest, FollowsNoLinkThatSomebodyLaid) {  // D06
  std::ofstream(path("precious")) << "precious";
  ASSERT_EQ(::symlink(path("precious").c_str(), path("status").c_str()), 0);
  ASSERT_EQ(::symlink(path("precious").c_str(), path("other.new").c_str()), 0);

  EXPECT_FALSE(StateFile("status", path("status")).open());
  StateFile file("status", path("other"));
  ASSERT_TRUE(file.open());
  EXPECT_TRUE(file.write("text", {}));

  EXPECT_EQ(text_of(path("precious")), "precious");
}

TEST_F(StateFileTest, SaysWhyItCannotBeOpened) {
  const Result<void> opened = StateFile("status", path("missing/status")).open();

  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().to_string().find("missing/status: cannot write the status file"),
            std::string::npos);
}

// D06
TEST_F(StateFileTest, LeavesTheOldTextWhereTheNewOneCannotBeWritten) {
  StateFile file("status", path("status"));
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.write("old\n", {}));
  ASSERT_EQ(::mkdir(path("status.new").c_str(), 0700), 0);

  EXPECT_FALSE(file.write("new\n", {}));

  EXPECT_EQ(text_of(path("status")), "old\n");
}

}  // namespace
}  // namespace ringway
