#include "control/pki/pki_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/control/pki/temporary_folder.h"

namespace ringway {
namespace {

using test::mode_of;
using test::TemporaryFolder;

TEST(PkiFolder, KeepsPrivateWhatIs) {
  const TemporaryFolder work;
  auto folder = PkiFolder::create(work.path("pki"));
  ASSERT_TRUE(folder.has_value());
  ASSERT_TRUE(folder->write("private/ca.key", "secret", 0600));
  ASSERT_TRUE(folder->write("crl.pem", "list", 0644));
  EXPECT_EQ(mode_of(work.path("pki")), 0711u);
  EXPECT_EQ(mode_of(work.path("pki/private")), 0700u);
  EXPECT_EQ(mode_of(work.path("pki/private/ca.key")), 0600u);
  EXPECT_EQ(mode_of(work.path("pki/crl.pem")), 0644u);
}

TEST(PkiFolder, OverwritesNoAuthority) {
  const TemporaryFolder work;
  {
    ASSERT_TRUE(PkiFolder::create(work.path("pki")).has_value());
  }
  const auto again = PkiFolder::create(work.path("pki"));
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().what.find("not empty"), std::string::npos);
}

TEST(PkiFolder, LetsOneAtATimeWorkInIt) {
  const TemporaryFolder work;
  auto first = PkiFolder::create(work.path("pki"));
  ASSERT_TRUE(first.has_value());
  for (const char* name : {"ca.crt", "index.txt"}) ASSERT_TRUE(first->write(name, "x", 0644));
  const auto second = PkiFolder::open(work.path("pki"));
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().what.find("at work"), std::string::npos);
}

TEST(PkiFolder, LeavesNothingBesideAFileThatItReplaced) {
  const TemporaryFolder work;
  auto folder = PkiFolder::create(work.path("pki"));
  ASSERT_TRUE(folder.has_value());
  for (const char* text : {"one", "two"}) ASSERT_TRUE(folder->write("issued/a.crt", text, 0644));
  EXPECT_EQ(*folder->read("issued/a.crt"), "two");
  const std::filesystem::directory_iterator files(work.path("pki/issued"));
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  ASSERT_TRUE(folder->move("issued/a.crt", "revoked/certs_by_serial/4A.crt"));
  EXPECT_FALSE(folder->has("issued/a.crt"));
  EXPECT_TRUE(folder->has("revoked/certs_by_serial/4A.crt"));
  EXPECT_TRUE(folder->move("issued/none.crt", "elsewhere/none.crt"));
}

TEST(PkiFolder, SaysWhatIsMissingAndWhoseFolderItIs) {
  const TemporaryFolder work;
  const auto advice_for = [&](const std::string& name) {
    const auto folder = PkiFolder::open(work.path(name));
    return folder ? std::string("(opened)") : folder.error().to_string();
  };
  EXPECT_NE(advice_for("nowhere").find("ringway pki init"), std::string::npos);
  work.make("empty");
  EXPECT_NE(advice_for("empty").find("no authority"), std::string::npos);
  work.write("old/ca.crt", "x");
  work.write("old/ca.key", "x");
  EXPECT_NE(advice_for("old").find("easy-rsa 2"), std::string::npos);
  work.write("above/pki/ca.crt", "x");
  EXPECT_NE(advice_for("above").find("--dir " + work.path("above/pki")), std::string::npos);
}

}  // namespace
}  // namespace ringway
