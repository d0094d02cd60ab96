#include "tun/mss_clamp.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tests/tun/packets.h"

namespace ringway {
namespace {

using test::Packet;
using test::tcp_packet;

constexpr MssLimits kLimits{.v4 = 1360, .v6 = 1340};

Packet syn(bool v4, Packet options, std::uint8_t flags = tcp_flag::kSyn) {
  return tcp_packet(v4, {}, {.flags = flags, .options = std::move(options)});
}

std::size_t options_at(bool v4) { return (v4 ? kIpv4HeaderMin : kIpv6HeaderSize) + kTcpHeaderMin; }

/// As a worker does it; a malformed packet does not get that far.
bool clamp(MutableBytes packet, const MssLimits& limits) {
  const auto ip = parse_ip_packet(packet);
  return ip && clamp_mss(packet, *ip, limits);
}

/// The packet that a SYN with other options would have been, its checksum made anew.
void expect_clamped(bool v4, const Packet& options, const Packet& expected_options,
                    std::uint8_t flags = tcp_flag::kSyn) {
  Packet packet = syn(v4, options, flags);
  EXPECT_TRUE(clamp(packet, kLimits));
  EXPECT_EQ(packet, syn(v4, expected_options, flags));
}

void expect_left_alone(Packet packet, const char* what, const MssLimits& limits = kLimits) {
  const Packet before = packet;
  EXPECT_FALSE(clamp(packet, limits)) << what;
  EXPECT_EQ(packet, before) << what;
}

TEST(MssClamp, LowersAnMssAboveTheLimit) {
  expect_clamped(true, {2, 4, 0x05, 0xb4}, {2, 4, 0x05, 0x50});
  expect_clamped(false, {2, 4, 0x05, 0xa0}, {2, 4, 0x05, 0x3c});
  expect_clamped(true, {2, 4, 0xff, 0xff}, {2, 4, 0x05, 0x50}, tcp_flag::kSyn | tcp_flag::kAck);
}

TEST(MssClamp, FindsTheOptionBehindOthers) {
  expect_clamped(true, {4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 0x05, 0xb4, 1, 3, 3, 7},
                 {4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 0x05, 0x50, 1, 3, 3, 7});
}

TEST(MssClamp, UpdatesTheChecksumAtAnOddPlace) {
  expect_clamped(true, {1, 2, 4, 0x05, 0xb4, 1, 1, 0}, {1, 2, 4, 0x05, 0x50, 1, 1, 0});
}

TEST(MssClamp, LowersEachOfSeveral) {
  expect_clamped(true, {2, 4, 0x05, 0xb4, 2, 4, 0x01, 0x00, 2, 4, 0x23, 0x00},
                 {2, 4, 0x05, 0x50, 2, 4, 0x01, 0x00, 2, 4, 0x05, 0x50});
}

TEST(MssClamp, KeepsAnMssWithinTheLimit) {
  expect_left_alone(syn(true, {2, 4, 0x05, 0x50}), "equal");
  expect_left_alone(syn(true, {2, 4, 0x05, 0x4f}), "smaller");
  expect_left_alone(syn(true, {}), "no options at all");
  expect_left_alone(syn(true, {2, 4, 0x05, 0xb4}), "limit off", {.v4 = 0, .v6 = 1});
  expect_left_alone(syn(false, {2, 4, 0x05, 0xb4}), "limit off", {.v4 = 1, .v6 = 0});
}

TEST(MssClamp, LeavesAloneWhatIsNoSyn) {
  const Packet options = {2, 4, 0x05, 0xb4};
  expect_left_alone(syn(true, options, tcp_flag::kAck), "no SYN");
  Packet udp = syn(true, options);
  udp[9] = ip_protocol::kUdp;
  expect_left_alone(udp, "UDP");
}

TEST(MssClamp, LeavesAloneOptionsBehindTheEndOfTheList) {
  expect_left_alone(syn(true, {0, 2, 4, 0x05, 0xb4, 0, 0, 0}), "end of list");
}

TEST(MssClamp, LeavesMalformedOptionListsAlone_C02) {
  expect_left_alone(syn(true, {2, 4, 0x05, 0xb4, 3, 0, 1, 1}), "length 0");
  expect_left_alone(syn(true, {2, 4, 0x05, 0xb4, 3, 1, 1, 1}), "length 1");
  expect_left_alone(syn(true, {2, 4, 0x05, 0xb4, 8, 10, 1, 1}), "beyond the list");
  expect_left_alone(syn(true, {2, 4, 0x05, 0xb4, 1, 1, 1, 8}), "no room for the length");
  expect_left_alone(syn(true, {2, 5, 0x05, 0xb4, 0, 1, 1, 1}), "MSS of five bytes");
  expect_left_alone(syn(true, {2, 3, 0x05, 1}), "MSS of three bytes");
  expect_left_alone(syn(true, {1, 1, 2, 4}), "MSS without its value");
}

TEST(MssClamp, LeavesFragmentsAlone) {
  Packet packet = syn(true, {2, 4, 0x05, 0xb4});
  store_be16(packet.data() + 6, 0x2000);
  expect_left_alone(packet, "first fragment");
}

TEST(MssClamp, LeavesIpv6WithExtensionHeadersAlone_C03) {
  const Packet plain = syn(false, {2, 4, 0x05, 0xb4});
  Packet body = {ip_protocol::kTcp, 0, 1, 4, 0, 0, 0, 0};
  body.insert(body.end(), plain.begin() + kIpv6HeaderSize, plain.end());
  expect_left_alone(test::ip_packet(false, 60, body), "destination options first");
}

TEST(MssClamp, LeavesEveryTruncationAlone_C02) {
  for (const bool v4 : {true, false}) {
    const Packet whole = syn(v4, {4, 2, 1, 1, 2, 4, 0x05, 0xb4});
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Packet cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      expect_left_alone(cut, "truncated");
    }
  }
}

TEST(MssClamp, SurvivesRandomOptionsAndKeepsTheChecksumRight) {
  constexpr std::uint64_t kSeed = 42;
  test::SeededRandom random(kSeed);
  for (int round = 0; round < 20000; ++round) {
    const bool v4 = random.happens(0.5);
    Packet options(random.next() % 11 * 4);
    random.fill(options);
    for (std::uint8_t& byte : options) {
      if (random.happens(0.6)) byte = static_cast<std::uint8_t>(byte % 6);
    }
    Packet packet = syn(v4, options);

    clamp(packet, {.v4 = 256, .v6 = 256});

    const std::size_t transport = options_at(v4) - kTcpHeaderMin;
    ASSERT_EQ(load_be16(packet.data() + transport + 16),
              test::reference_transport_checksum(packet, transport, transport + 16))
        << "seed " << kSeed << ", round " << round;
  }
}

}  // namespace
}  // namespace ringway
