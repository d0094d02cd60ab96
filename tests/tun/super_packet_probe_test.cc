#include "tun/super_packet_probe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "tun/tun_device.h"

namespace ringway {
namespace {

TEST(SuperPacketProbe, ShowsThatADownDeviceUnderstandsSuperPackets) {
  Result<TunDevice> tun = TunDevice::open({.name = "tun"});
  ASSERT_TRUE(tun) << tun.error().to_string();

  const SuperPacketProof proof = prove_super_packets(tun->queue_fd(0));

  EXPECT_EQ(proof.tcp, Proof::Works);
  EXPECT_EQ(proof.udp, Proof::Works) << "fails before Linux 6.2";
}

TEST(SuperPacketProbe, ProvesNothingWhereTheWriteGoesElsewhere) {
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(nowhere);

  EXPECT_EQ(prove_super_packets(nowhere.get()).tcp, Proof::Unproven);
  EXPECT_EQ(prove_super_packets(-1).udp, Proof::Unproven);
}

TEST(SuperPacketProbe, JudgesByWhatTheKernelSaysOfTheHeader) {
  EXPECT_EQ(judge_super_packets(EINVAL, EIO, EIO), Proof::Works);
  EXPECT_EQ(judge_super_packets(EINVAL, EINVAL, EIO), Proof::Fails);
  EXPECT_EQ(judge_super_packets(EINVAL, EIO, EINVAL), Proof::Fails);
  // A kernel that looks at the device first says nothing about headers.
  EXPECT_EQ(judge_super_packets(EIO, EIO, EIO), Proof::Unproven);
  EXPECT_EQ(judge_super_packets(EINVAL, ENOMEM, EIO), Proof::Unproven);
  EXPECT_EQ(judge_super_packets(EINVAL, 0, 0), Proof::Unproven);
}

}  // namespace
}  // namespace ringway
