#include "control/worker_plan.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Pinning = WorkerConfig::Pinning;
using CoreList = std::vector<unsigned>;

TEST(WorkerPlan, MakesOneWorkerForEachCoreAndPinsIt) {
  const WorkerPlan plan = plan_workers({}, {.allowed = {2, 3, 8}, .quota = {}});

  EXPECT_EQ(plan.count, 3);
  EXPECT_EQ(plan.cores, (CoreList{2, 3, 8}));
  EXPECT_EQ(worker_line(plan), "3 workers, pinned to cores 2,3,8");
}

TEST(WorkerPlan, MakesAsManyWorkersAsItIsTold) {
  EXPECT_EQ(plan_workers({.count = 3}, {.allowed = {0}, .quota = {}}).count, 3);
  EXPECT_EQ(plan_workers({.count = 3}, {.allowed = {0}, .quota = 1.0}).count, 3);
}

TEST(WorkerPlan, MakesOneWorkerWhereTheCoresAreUnknown) {
  const WorkerPlan plan = plan_workers({}, {});

  EXPECT_EQ(plan.count, 1);
  EXPECT_TRUE(plan.cores.empty());
}

TEST(WorkerPlan, PinsNothingWhenCoresAreLeftOverBecauseAnotherServerWouldTakeTheSame) {
  const WorkerPlan plan = plan_workers({.count = 1}, {.allowed = {0, 1}, .quota = {}});

  EXPECT_TRUE(plan.cores.empty());
  EXPECT_EQ(worker_line(plan), "1 worker, not pinned (2 cores may be used)");
}

TEST(WorkerPlan, PinsNothingWhenThereAreMoreWorkersThanCores) {
  EXPECT_TRUE(plan_workers({.count = 3}, {.allowed = {0, 1}, .quota = {}}).cores.empty());
}

TEST(WorkerPlan, MakesNoMoreWorkersThanAQuotaFeedsAndPinsNone) {
  const WorkerPlan plan = plan_workers({}, {.allowed = {0, 1, 2, 3}, .quota = 1.5});

  EXPECT_EQ(plan.count, 2);
  EXPECT_EQ(worker_line(plan), "2 workers, not pinned (a control group grants 1.50 cores)");
  EXPECT_EQ(plan_workers({}, {.allowed = {0, 1}, .quota = 0.2}).count, 1);
  EXPECT_EQ(plan_workers({}, {.allowed = {0, 1}, .quota = 8.0}).count, 2);
}

TEST(WorkerPlan, PinsToTheCoresThatItIsTold) {
  const Cores cores{.allowed = {0, 1, 2, 3}, .quota = 1.5};
  const WorkerPlan plan =
      plan_workers({.count = 1, .pinning = Pinning::Listed, .cores = {3, 1}}, cores);

  EXPECT_EQ(plan.cores, (CoreList{3, 1}));
  EXPECT_EQ(worker_line(plan), "1 worker, pinned to core 3");
  EXPECT_EQ(
      plan_workers({.pinning = Pinning::Listed, .cores = {3, 1}}, {.allowed = {1, 3, 4}}).count, 2);
}

TEST(WorkerPlan, PinsNothingWhenToldSo) {
  const WorkerPlan plan = plan_workers({.pinning = Pinning::Off}, {.allowed = {0, 1}});

  EXPECT_TRUE(plan.cores.empty());
  EXPECT_EQ(worker_line(plan), "2 workers, not pinned (worker-cores off)");
}

TEST(WorkerPlan, WantsEveryOffloadUnlessOneIsSwitchedOff) {
  const Offloads all = plan_workers({}, {}).offloads;
  EXPECT_TRUE(all.link_gso && all.link_gro && all.tun.checksum && all.tun.tcp && all.tun.udp);
  EXPECT_EQ(all.link_gso_segments_max, 128);

  EXPECT_FALSE(plan_workers({.gso = false}, {}).offloads.link_gso);
  EXPECT_FALSE(plan_workers({.gro = false}, {}).offloads.link_gro);
  EXPECT_FALSE(plan_workers({.tso = false}, {}).offloads.tun.tcp);
  EXPECT_FALSE(plan_workers({.uso = false}, {}).offloads.tun.udp);
  EXPECT_TRUE(plan_workers({.uso = false}, {}).offloads.tun.checksum);
  EXPECT_FALSE(plan_workers({.tso = false, .uso = false}, {}).offloads.tun.checksum);
}

TEST(WorkerPlan, WantsNothingThatLinux61LacksUnderItsProfile) {
  const Offloads old = plan_workers({.like_6_1 = true}, {}).offloads;

  EXPECT_TRUE(old.link_gso && old.link_gro && old.tun.tcp);
  EXPECT_FALSE(old.tun.udp);
  EXPECT_EQ(old.link_gso_segments_max, 64);
}

TEST(WorkerPlan, SaysWhatIsUsedAndWhyTheRestIsNot) {
  const WorkerConfig all;
  WorkerPlan plan = plan_workers(all, {});
  EXPECT_EQ(offload_line(plan, all), "UDP GSO on, GRO on, TSO on, USO on");

  const WorkerConfig none{.gso = false, .gro = false, .tso = false, .uso = false};
  EXPECT_EQ(offload_line(plan_workers(none, {}), none),
            "UDP GSO off (no-gso), GRO off (no-gro), TSO off (no-tso), USO off (no-uso)");

  const WorkerConfig old{.like_6_1 = true};
  EXPECT_EQ(offload_line(plan_workers(old, {}), old),
            "UDP GSO on, GRO on, TSO on, USO off (kernel-profile 6.1)");

  plan.offloads.tun.udp = false;
  EXPECT_EQ(offload_line(plan, all),
            "UDP GSO on, GRO on, TSO on, USO off (Linux 6.2 has it first)");
}

TEST(WorkerPlan, TakesAwayWhatFailsItsTestAndWarns) {
  WorkerPlan plan = plan_workers({}, {});

  apply_proof(plan, {.gso = Proof::Works, .gro = Proof::Fails, .segments_max = 64, .reason = "R"});

  EXPECT_TRUE(plan.offloads.link_gso);
  EXPECT_FALSE(plan.offloads.link_gro);
  EXPECT_EQ(plan.offloads.link_gso_segments_max, 64);
  EXPECT_EQ(offload_line(plan, {}),
            "UDP GSO on, GRO off (its test at start failed), TSO on, USO on");
  ASSERT_EQ(offload_warnings(plan).size(), 1u);
  EXPECT_NE(offload_warnings(plan)[0].find("R; update the kernel"), std::string::npos);
}

TEST(WorkerPlan, KeepsWhatCouldNotBeTestedAndSaysSo) {
  WorkerPlan plan = plan_workers({}, {});

  apply_proof(plan, {.reason = "loopback carries nothing"});

  EXPECT_TRUE(plan.offloads.link_gso && plan.offloads.link_gro);
  EXPECT_EQ(plan.offloads.link_gso_segments_max, 64);
  EXPECT_EQ(offload_line(plan, {}), "UDP GSO on (unproven), GRO on (unproven), TSO on, USO on");
  EXPECT_TRUE(offload_warnings(plan).empty());
}

TEST(WorkerPlan, NeverWantsMoreSegmentsThanTheProfileAllows) {
  WorkerPlan plan = plan_workers({.like_6_1 = true}, {});

  apply_proof(plan, {.gso = Proof::Works, .gro = Proof::Works, .segments_max = 128});

  EXPECT_EQ(plan.offloads.link_gso_segments_max, 64);
}

}  // namespace
}  // namespace ringway
