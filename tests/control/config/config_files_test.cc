#include "control/config/config_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "control/config/config_lexer.h"
#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

/// A folder of its own for each test, removed with it.
class ConfigFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "ringway-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (const char* name : {"ca", "cert", "key"}) write(name, std::string("text of ") + name);
    config_.tls.ca = file("ca");
    config_.tls.cert = file("cert");
    config_.tls.key = file("key");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path(name), std::ios::binary) << text;
    ASSERT_EQ(::chmod(path(name).c_str(), mode), 0);
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  FileOrInline file(const std::string& name) const {
    return {.path = path(name), .text = "", .is_inline = false, .where = "server.conf:1"};
  }

  std::string folder_;
  ServerConfig config_;
};

TEST_F(ConfigFiles, AddsTheHashedCertificatesOfADirectoryToTheAuthorities) {
  std::filesystem::create_directory(path("cas"));
  write("cas/1a2b3c4d.0", "first");
  write("cas/1a2b3c4d.1", "second");
  write("cas/original.pem", "not by this name");
  write("cas/1a2b3c4d", "nor by this");
  config_.tls.ca_directory = file("cas");

  ASSERT_TRUE(load_files(config_));
  EXPECT_EQ(config_.tls.ca.text, "text of cafirst\nsecond\n");

  write("cas/1a2b3c4d.r0", "a list that would be forgotten");
  const auto with_list = load_files(config_);
  ASSERT_FALSE(with_list);
  EXPECT_NE(with_list.error().advice.find("crl-verify"), std::string::npos);
}

TEST_F(ConfigFiles, WantsAuthoritiesInADirectoryThatIsNamedForThem) {
  std::filesystem::create_directory(path("cas"));
  config_.tls.ca = {};
  config_.tls.ca_directory = file("cas");
  const auto empty = load_files(config_);
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().advice.find("openssl rehash"), std::string::npos);

  config_.tls.ca_directory = file("nowhere");
  EXPECT_FALSE(load_files(config_));
}

TEST_F(ConfigFiles, ReadsEveryFileNamed) {
  write("dh", "text of dh");
  write("crl", "text of crl");
  write("ta", "text of ta");
  config_.tls.dh = file("dh");
  config_.tls.crl = file("crl");
  config_.wrap.mode = WrapMode::TlsAuth;
  config_.wrap.key = file("ta");

  ASSERT_TRUE(load_files(config_));

  EXPECT_EQ(config_.tls.ca.text, "text of ca");
  EXPECT_EQ(config_.tls.cert.text, "text of cert");
  EXPECT_EQ(config_.tls.key.text, "text of key");
  EXPECT_EQ(config_.tls.dh.text, "text of dh");
  EXPECT_EQ(config_.tls.crl.text, "text of crl");
  EXPECT_EQ(config_.wrap.key.text, "text of ta");
  EXPECT_EQ(config_.tls.crl.where, "server.conf:1 (" + path("crl") + ")");
  EXPECT_TRUE(config_.notes.empty());
}

TEST_F(ConfigFiles, LeavesInlineTextAlone) {
  config_.tls.ca = {.path = "", .text = "inline", .is_inline = true, .where = "x"};

  ASSERT_TRUE(load_files(config_));

  EXPECT_EQ(config_.tls.ca.text, "inline");
}

TEST_F(ConfigFiles, FollowsSymbolicLinks) {
  std::filesystem::create_symlink(path("ca"), path("link"));
  config_.tls.ca = file("link");

  ASSERT_TRUE(load_files(config_));

  EXPECT_EQ(config_.tls.ca.text, "text of ca");
}

TEST_F(ConfigFiles, SaysWhichOptionNamedAFileThatCannotBeRead) {
  config_.tls.cert = file("missing");
  const auto missing = load_files(config_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().to_string(),
            "server.conf:1: `cert`: cannot open " + path("missing") +
                ": No such file or directory — write `cert FILE` with a file that Ringway can "
                "read");

  config_.tls.cert = file(".");
  EXPECT_NE(load_files(config_).error().what.find("Is a directory"), std::string::npos);

  write("empty", "");
  config_.tls.cert = file("empty");
  EXPECT_NE(load_files(config_).error().what.find("is empty"), std::string::npos);

  config_.tls.cert = file("cert");
  config_.wrap.mode = WrapMode::TlsCrypt;
  config_.wrap.key = file("missing");
  EXPECT_NE(load_files(config_).error().what.find("`tls-crypt`"), std::string::npos);
}

TEST_F(ConfigFiles, WarnsOfKeysThatOthersCanRead) {  // D02
  write("key", "k", 0640);
  write("tc", "k", 0604);
  write("ca", "c", 0644);
  config_.wrap.mode = WrapMode::TlsCrypt;
  config_.wrap.key = file("tc");

  ASSERT_TRUE(load_files(config_));

  ASSERT_EQ(config_.notes.size(), 2u);
  EXPECT_EQ(config_.notes[0], "server.conf:1 (" + path("key") +
                                  "): others can read this `key` file" + "; run chmod 600 " +
                                  path("key"));
  EXPECT_NE(config_.notes[1].find("tls-crypt"), std::string::npos);
}

TEST_F(ConfigFiles, ChecksThatACrlDirectoryIsOne) {
  config_.tls.crl_is_directory = true;
  config_.tls.crl = file("");
  EXPECT_TRUE(load_files(config_));

  config_.tls.crl = file("ca");
  EXPECT_NE(load_files(config_).error().what.find("Not a directory"), std::string::npos);

  config_.tls.crl = file("missing");
  EXPECT_NE(load_files(config_).error().what.find("No such file"), std::string::npos);
}

TEST_F(ConfigFiles, RefusesFilesThatAreTooLargeAndNamesThatCannotBe) {
  write("large", std::string(kConfigFileSizeMax + 1, 'x'));
  EXPECT_FALSE(read_text_file(path("large")));
  write("large", std::string(kConfigFileSizeMax, 'x'));
  EXPECT_TRUE(read_text_file(path("large")));
  EXPECT_FALSE(read_text_file(std::string("a\0b", 3)));
  EXPECT_FALSE(read_text_file(""));
}

}  // namespace
}  // namespace ringway
