#include "control/cores.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ringway {
namespace {

class ControlGroupTree : public ::testing::Test {
 protected:
  ControlGroupTree() {
    std::string pattern = ::testing::TempDir() + "ringway-cgroup-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~ControlGroupTree() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::string root_;
};

TEST_F(ControlGroupTree, GivesTheQuotaOfVersion2) {
  write("system.slice/vpn.service/cpu.max", "150000 100000\n");

  EXPECT_EQ(control_group_quota("0::/system.slice/vpn.service\n", root_), 1.5);
}

TEST_F(ControlGroupTree, GivesTheTightestOfAllGroupsAbove) {
  write("a/cpu.max", "50000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  write("a/b/c/cpu.max", "200000 100000\n");

  EXPECT_EQ(control_group_quota("0::/a/b/c\n", root_), 0.5);
}

TEST_F(ControlGroupTree, GivesTheQuotaOfVersion1BesideVersion2) {
  write("cpu,cpuacct/docker/1f/cpu.cfs_quota_us", "300000\n");
  write("cpu,cpuacct/docker/1f/cpu.cfs_period_us", "100000\n");
  write("cpu,cpuacct/docker/cpu.cfs_quota_us", "-1\n");
  write("cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");

  EXPECT_EQ(control_group_quota("5:cpuset:/\n4:cpu,cpuacct:/docker/1f\n0::/docker/1f\n", root_),
            3.0);
}

TEST_F(ControlGroupTree, SeesTheMountPointAsTheGroupInsideAContainer) {
  write("cpu.max", "25000 100000\n");

  EXPECT_EQ(control_group_quota("0::/\n", root_), 0.25);
  EXPECT_EQ(control_group_quota("0::/../../elsewhere\n", root_), 0.25);
}

TEST_F(ControlGroupTree, SetsNoLimitWhereNothingCanBeRead) {
  write("odd/cpu.max", "rubbish\n");
  write("zero/cpu.max", "0 0\n");

  EXPECT_EQ(control_group_quota("", root_), std::nullopt);
  EXPECT_EQ(control_group_quota("no colons\n0:\n", root_), std::nullopt);
  EXPECT_EQ(control_group_quota("0::/missing\n", root_), std::nullopt);
  EXPECT_EQ(control_group_quota("0::/odd\n", root_), std::nullopt);
  EXPECT_EQ(control_group_quota("0::/zero\n", root_), std::nullopt);
}

TEST(Cores, AreAtLeastOne) { EXPECT_FALSE(read_cores().allowed.empty()); }

}  // namespace
}  // namespace ringway
