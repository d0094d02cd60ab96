#include "control/client_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "control/config/client_file.h"

namespace ringway {
namespace {

class ClientDirectoryTest : public ::testing::Test {
 protected:
  ClientDirectoryTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ringway-ccd.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(path_ + "/ccd");
  }
  ~ClientDirectoryTest() override { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
  }
  [[nodiscard]] PlaneAnswer answer(const std::string& name, bool is_exclusive = false) const {
    return read_own_lines(path_ + "/ccd", is_exclusive, name);
  }

  std::string path_;
};

TEST_F(ClientDirectoryTest, HasAFileForAClientAndOneForTheOthers) {
  write("ccd/client1", "ping 5\n");
  write("ccd/DEFAULT", "disable\n");

  const PlaneAnswer own = answer("client1");
  EXPECT_TRUE(own.accepted);
  EXPECT_EQ(own.text, "ping 5\n");
  EXPECT_EQ(own.where, path_ + "/ccd/client1");
  EXPECT_EQ(answer("client2").text, "disable\n");
}

TEST_F(ClientDirectoryTest, HasNothingToSayOfWhoHasNoFile) {
  const PlaneAnswer said = answer("client1");

  EXPECT_TRUE(said.accepted);
  EXPECT_EQ(said.text, "");
}

TEST_F(ClientDirectoryTest, RefusesWhoHasNoFileWhereEachMustHaveOne) {
  write("ccd/client1", "");
  write("ccd/DEFAULT", "");

  EXPECT_TRUE(answer("client1", true).accepted);
  const PlaneAnswer said = answer("client2", true);
  EXPECT_FALSE(said.accepted);
  EXPECT_NE(said.for_log.find("ccd-exclusive: it has no file in"), std::string::npos);
  EXPECT_FALSE(answer("", true).accepted);
  // Nor is the file for all that of a client which is called so.
  EXPECT_FALSE(answer("DEFAULT", true).accepted);
  EXPECT_TRUE(answer("DEFAULT").accepted);
}

// A common name is a file's name and no path.
TEST_F(ClientDirectoryTest, LeadsNowhereElse) {
  write("secret", "ping 5\n");
  std::filesystem::create_directory(path_ + "/ccd/sub");
  write("ccd/sub/inner", "ping 6\n");

  for (const char* name : {"../secret", "..", ".", "sub/inner", "/etc/passwd"}) {
    EXPECT_EQ(answer(name).text, "") << name;
    EXPECT_FALSE(answer(name, true).accepted) << name;
  }
  write("ccd/.._secret", "ping 7\n");
  EXPECT_EQ(answer("../secret").text, "ping 7\n");
}

TEST_F(ClientDirectoryTest, RefusesAFileThatCannotBeRead) {
  std::filesystem::create_directory(path_ + "/ccd/client1");
  ASSERT_EQ(::mkfifo((path_ + "/ccd/client2").c_str(), 0600), 0);

  EXPECT_NE(answer("client1").for_log.find("cannot read " + path_ + "/ccd/client1"),
            std::string::npos);
  EXPECT_FALSE(answer("client2").accepted);
}

TEST_F(ClientDirectoryTest, ReadsNoMoreThanAFileMayHave) {
  write("ccd/client1", std::string(4 * kClientFileSizeMax, '\n'));

  EXPECT_GT(answer("client1").text.size(), kClientFileSizeMax);
  EXPECT_LT(answer("client1").text.size(), 2 * kClientFileSizeMax);
}

}  // namespace
}  // namespace ringway
