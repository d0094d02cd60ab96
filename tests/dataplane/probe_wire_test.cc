#include "dataplane/probe_wire.h"

#include <gtest/gtest.h>

#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

TEST(ProbeWire, ProvesTheOffloadsOfThisKernelInBothFamilies) {
  test::run("ip link set lo up");
  for (const ProbeFamily family : {ProbeFamily::V4, ProbeFamily::V6, ProbeFamily::V4OnDualStack}) {
    const std::unique_ptr<LoopbackWire> wire = LoopbackWire::open(family);
    ASSERT_TRUE(wire);

    const LinkOffloadProof proof = prove_link_offloads(*wire, monotonic_now() + 2s);

    EXPECT_EQ(proof.gso, Proof::Works) << proof.reason;
    EXPECT_EQ(proof.gro, Proof::Works) << proof.reason;
    EXPECT_TRUE(proof.segments_max == 64 || proof.segments_max == 128);
    EXPECT_EQ(proof.reason, "");
  }
}

TEST(ProbeWire, IsUnprovenWhereAPacketFilterDropsWhatLoopbackCarries) {
  test::run("ip link set lo up");
  test::run(
      "nft 'add table inet probe; add chain inet probe in { type filter hook input "
      "priority 0; policy drop; }'");
  const Instant begin = monotonic_now();

  const LinkOffloadProof proof = probe_link_offloads(50ms);

  EXPECT_EQ(proof.gso, Proof::Unproven);
  EXPECT_EQ(proof.gro, Proof::Unproven);
  EXPECT_EQ(proof.reason, "loopback carries nothing");
  EXPECT_GE(monotonic_now() - begin, 50ms);
  test::run("nft delete table inet probe");
}

TEST(ProbeWire, IsUnprovenWhereLoopbackIsDown) {
  test::run("ip link set lo down");

  const LinkOffloadProof proof = probe_link_offloads(20ms);

  EXPECT_EQ(proof.gso, Proof::Unproven);
  EXPECT_NE(proof.reason, "");
  test::run("ip link set lo up");
}

}  // namespace
}  // namespace ringway
