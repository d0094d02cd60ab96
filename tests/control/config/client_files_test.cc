#include "control/config/client_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ringway {
namespace {

class ClientFilesTest : public ::testing::Test {
 protected:
  ClientFilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ringway-ccd.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~ClientFilesTest() override { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
  }

  std::string path_;
};

TEST_F(ClientFilesTest, AreReadByName) {
  write("b", "ping 5\n");
  write("a", "ping 6\n");
  write(".a.swp", "x");
  std::filesystem::create_directory(path_ + "/sub");

  const auto files = read_client_files(path_);

  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ(files->front().name, "a");
  EXPECT_EQ(files->front().text, "ping 6\n");
  EXPECT_EQ(files->back().where, path_ + "/b");
}

TEST_F(ClientFilesTest, NeedADirectory) {
  const auto files = read_client_files(path_ + "/none");

  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().where, path_ + "/none");
  EXPECT_NE(files.error().what.find("No such file or directory"), std::string::npos);
}

TEST_F(ClientFilesTest, AreMissingOrCannotBeReadOrAre) {
  write("a", "x");
  std::filesystem::create_directory(path_ + "/sub");

  EXPECT_FALSE(read_client_file(path_, "none").exists);
  EXPECT_FALSE(read_client_file(path_, "a/b").exists);
  EXPECT_TRUE(read_client_file(path_, "sub").exists);
  EXPECT_EQ(read_client_file(path_, "sub").fault, "Is a directory");
  EXPECT_EQ(read_client_file(path_, "a").fault, "");
}

}  // namespace
}  // namespace ringway
