#include "tun/tun_steering.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "tests/tun/host_side.h"
#include "tests/tun/packets.h"
#include "tun/ip_packet.h"
#include "tun/link_config.h"
#include "tun/tun_device.h"

namespace ringway {
namespace {

constexpr std::uint16_t kQueues = 4;

class TunSteeringTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = TunDevice::open({.queue_count = kQueues});
    ASSERT_TRUE(device) << device.error().to_string();
    device_.emplace(std::move(*device));
    auto link = LinkConfig::open(device_->name());
    ASSERT_TRUE(link);
    const auto applied =
        link->apply({.v4 = InterfaceAddress{*IpAddress::parse("10.8.0.1"), 16},
                     .v6 = InterfaceAddress{*IpAddress::parse("fd00:8::1"), 64},
                     .routes = {{.destination = *Prefix::parse("172.16.0.0/12")},
                                {.destination = *Prefix::parse("2001:db8::/32")}}});
    ASSERT_TRUE(applied) << applied.error().to_string();
    auto steering = TunSteering::load({.hosts_max = 64, .prefixes_max = 8});
    ASSERT_TRUE(steering) << steering.error().to_string();
    steering_.emplace(std::move(*steering));
    const auto attached = device_->steer_with(steering_->program_fd());
    ASSERT_TRUE(attached) << attached.error().to_string();
  }

  /// Sends one packet from each of several ports, so that a flow hash would scatter them, and
  /// returns the queue that all of them came to.
  std::optional<std::uint16_t> queue_of(const char* text) {
    const Endpoint to{.address = *IpAddress::parse(text), .port = 9};
    std::optional<std::uint16_t> found;
    for (int flow = 0; flow < 8; ++flow) {
      test::send_udp(to, test::counting_bytes(32));
      const auto queue = queue_that_has_a_packet_to(to.address);
      if (!queue || (found && *found != *queue)) return std::nullopt;
      found = queue;
    }
    return found;
  }

  std::optional<std::uint16_t> queue_that_has_a_packet_to(const IpAddress& destination) {
    std::array<pollfd, kQueues> queues{};
    for (std::uint16_t i = 0; i < kQueues; ++i) {
      queues[i] = {.fd = device_->queue_fd(i), .events = POLLIN, .revents = 0};
    }
    while (::poll(queues.data(), queues.size(), test::kPatienceMs) > 0) {
      for (std::uint16_t i = 0; i < kQueues; ++i) {
        const auto frame = test::read_frame(queues[i].fd);
        if (frame.empty()) continue;
        const auto packet = parse_ip_packet(Bytes(frame).subspan(kVnetHeaderSize));
        if (packet && packet->destination() == destination) return i;
      }
    }
    return std::nullopt;
  }

  std::optional<TunDevice> device_;
  std::optional<TunSteering> steering_;
};

TEST_F(TunSteeringTest, SendsHostsOfBothFamiliesToTheirOwners_F04) {
  for (std::uint16_t i = 0; i < 16; ++i) {
    const WorkerId owner{static_cast<std::uint16_t>(i * 7 % kQueues)};
    const IpAddress v4 = IpAddress::parse("10.8.0.2")->plus(i);
    const IpAddress v6 = IpAddress::parse("fd00:8::1000")->plus(i);
    ASSERT_TRUE(steering_->set_owner(Prefix::host(v4), owner));
    ASSERT_TRUE(steering_->set_owner(Prefix::host(v6), owner));
    EXPECT_EQ(queue_of(v4.to_string().c_str()), owner.value) << v4.to_string();
    EXPECT_EQ(queue_of(v6.to_string().c_str()), owner.value) << v6.to_string();
  }
}

TEST_F(TunSteeringTest, SendsPrefixesToTheirOwnersLongestFirst_F04) {
  ASSERT_TRUE(steering_->set_owner(*Prefix::parse("172.16.0.0/12"), {1}));
  ASSERT_TRUE(steering_->set_owner(*Prefix::parse("172.17.0.0/16"), {2}));
  ASSERT_TRUE(steering_->set_owner(*Prefix::parse("172.17.0.9/32"), {3}));
  ASSERT_TRUE(steering_->set_owner(*Prefix::parse("2001:db8::/32"), {2}));
  ASSERT_TRUE(steering_->set_owner(*Prefix::parse("2001:db8:7::/48"), {1}));

  EXPECT_EQ(queue_of("172.16.5.5"), 1);
  EXPECT_EQ(queue_of("172.17.0.8"), 2);
  EXPECT_EQ(queue_of("172.17.0.9"), 3);
  EXPECT_EQ(queue_of("2001:db8:6::1"), 2);
  EXPECT_EQ(queue_of("2001:db8:7::1"), 1);
}

TEST_F(TunSteeringTest, FollowsAnOwnerThatChanges) {
  const Prefix host = *Prefix::parse("10.8.0.7/32");
  ASSERT_TRUE(steering_->set_owner(host, {1}));
  ASSERT_EQ(queue_of("10.8.0.7"), 1);

  ASSERT_TRUE(steering_->set_owner(host, {3}));

  EXPECT_EQ(queue_of("10.8.0.7"), 3);
}

TEST_F(TunSteeringTest, ForgetsWhatIsRemoved) {
  const Prefix net = *Prefix::parse("172.17.0.0/16");
  const Prefix host = *Prefix::parse("172.17.0.1/32");
  ASSERT_TRUE(steering_->set_owner(net, {2}));
  ASSERT_TRUE(steering_->set_owner(host, {3}));
  ASSERT_EQ(queue_of("172.17.0.1"), 3);

  EXPECT_TRUE(steering_->remove(host));
  EXPECT_EQ(queue_of("172.17.0.1"), 2);
  EXPECT_TRUE(steering_->remove(net));

  EXPECT_FALSE(steering_->remove(net));
  EXPECT_FALSE(steering_->remove(host));
}

TEST_F(TunSteeringTest, BringsPacketsToUnknownDestinationsToSomeQueue) {
  const Endpoint unknown{.address = *IpAddress::parse("10.8.200.200"), .port = 9};

  test::send_udp(unknown, test::counting_bytes(8));

  EXPECT_TRUE(queue_that_has_a_packet_to(unknown.address));
}

TEST_F(TunSteeringTest, SaysWhenItsMapIsFull) {
  const IpAddress first = *IpAddress::parse("10.8.1.0");
  for (std::uint64_t i = 0; i < 64; ++i) {
    ASSERT_TRUE(steering_->set_owner(Prefix::host(first.plus(i)), {0}));
  }

  EXPECT_FALSE(steering_->set_owner(Prefix::host(first.plus(64)), {0}));
  EXPECT_TRUE(steering_->set_owner(Prefix::host(first), {1})) << "already in the map";
}

TEST_F(TunSteeringTest, TakesOwnersAfterPrivilegesWereDropped) {
  const int answer = test::without_privileges([this] {
    const Prefix host = *Prefix::parse("10.8.0.5/32");
    const Prefix net = *Prefix::parse("172.18.0.0/16");
    return steering_->set_owner(host, {2}) && steering_->set_owner(net, {1}) &&
                   steering_->set_owner(*Prefix::parse("172.19.0.0/16"), {1}) &&
                   steering_->remove(*Prefix::parse("172.19.0.0/16"))
               ? 0
               : 1;
  });

  EXPECT_EQ(answer, 0);
  EXPECT_EQ(queue_of("10.8.0.5"), 2);
  EXPECT_EQ(queue_of("172.18.1.1"), 1);
}

TEST_F(TunSteeringTest, SaysThatPrivilegesAreMissing_R24) {
  const int answer = test::without_privileges([] {
    const auto steering = TunSteering::load({});
    return !steering && steering.error().advice.find("CAP_BPF") != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(answer, 0);
}

}  // namespace
}  // namespace ringway
