#include "tun/tun_device.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "tests/tun/host_side.h"
#include "tests/tun/packets.h"
#include "tun/ip_packet.h"
#include "tun/link_config.h"
#include "tun/vnet_header.h"

namespace ringway {
namespace {

void configure(const TunDevice& device) {
  auto link = LinkConfig::open(device.name());
  ASSERT_TRUE(link);
  const auto applied = link->apply({.v4 = InterfaceAddress{*IpAddress::parse("192.0.2.1"), 24},
                                    .v6 = InterfaceAddress{*IpAddress::parse("fd00:9::1"), 64}});
  ASSERT_TRUE(applied) << applied.error().to_string();
}

TEST(TunDevice, IsNumberedByTheKernel) {
  const auto first = TunDevice::open({.name = "tun"});
  const auto second = TunDevice::open({.name = "tun"});

  ASSERT_TRUE(first) << first.error().to_string();
  ASSERT_TRUE(second) << second.error().to_string();
  EXPECT_EQ(first->name(), "tun0");
  EXPECT_EQ(second->name(), "tun1");
}

TEST(TunDevice, TakesTheGivenName) {
  const auto device = TunDevice::open({.name = "ringway-42"});

  ASSERT_TRUE(device) << device.error().to_string();
  EXPECT_EQ(device->name(), "ringway-42");
  EXPECT_NE(::if_nametoindex("ringway-42"), 0u);
}

TEST(TunDevice, DisappearsWithItsLastQueue) {
  auto device = TunDevice::open({.name = "tun7", .queue_count = 2});
  ASSERT_TRUE(device);
  {
    const UniqueFd taken = device->take_queue(0);
    EXPECT_EQ(device->queue_fd(0), -1);
    EXPECT_GE(taken.get(), 0);
  }
  EXPECT_NE(::if_nametoindex("tun7"), 0u);

  device->take_queue(1).reset();

  EXPECT_EQ(::if_nametoindex("tun7"), 0u);
}

TEST(TunDevice, OpensItsQueuesNonBlockingAndClosedOnExec) {
  const auto device = TunDevice::open({.queue_count = 4});

  ASSERT_TRUE(device);
  ASSERT_EQ(device->queue_count(), 4);
  for (std::uint16_t queue = 0; queue < 4; ++queue) {
    EXPECT_NE(::fcntl(device->queue_fd(queue), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(device->queue_fd(queue), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST(TunDevice, RefusesANameThatExists_F07) {
  const auto first = TunDevice::open({.name = "tun7"});
  const auto second = TunDevice::open({.name = "tun7"});
  const auto loopback = TunDevice::open({.name = "lo"});

  ASSERT_TRUE(first);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("exists already"), std::string::npos);
  EXPECT_EQ(second.error().where, "tun7");
  EXPECT_FALSE(second.error().advice.empty());
  EXPECT_FALSE(loopback);
}

TEST(TunDevice, RefusesNamesTheKernelWouldNotTake) {
  for (const char* name : {"", ".", "..", "a/b", "a:b", "a b", "tun%d", "0123456789abcdef"}) {
    const auto device = TunDevice::open({.name = name});
    ASSERT_FALSE(device) << name;
    EXPECT_NE(device.error().what.find("no name"), std::string::npos) << name;
  }
}

TEST(TunDevice, RefusesQueueCountsTheKernelWouldNotTake) {
  EXPECT_FALSE(TunDevice::open({.queue_count = 0}));
  EXPECT_FALSE(TunDevice::open({.queue_count = TunDevice::kQueuesMax + 1}));
}

TEST(TunDevice, SaysHowToGetADriver_R24) {
  const auto device = TunDevice::open({.clone_device = "/dev/net/no-such-driver"});

  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().where, "/dev/net/no-such-driver");
  EXPECT_NE(device.error().advice.find("modprobe tun"), std::string::npos);
}

TEST(TunDevice, SaysThatPrivilegesAreMissing_R24) {
  const int answer = test::without_privileges([] {
    const auto device = TunDevice::open({});
    return !device && device.error().what.starts_with("no permission") &&
                   !device.error().advice.empty()
               ? 0
               : 1;
  });
  EXPECT_EQ(answer, 0);
}

TEST(TunDevice, GivesPacketsOfTheHostBehindATenByteHeader_F06) {
  const auto device = TunDevice::open({});
  ASSERT_TRUE(device);
  configure(*device);
  for (const char* peer : {"192.0.2.9", "fd00:9::9"}) {
    test::send_udp({.address = *IpAddress::parse(peer), .port = 9}, test::counting_bytes(100));
    std::vector<std::uint8_t> frame;
    do {  // The host also asks for IPv6 routers.
      ASSERT_TRUE(test::is_readable(device->queue_fd(0)));
      frame = test::read_frame(device->queue_fd(0));
      ASSERT_FALSE(frame.empty());
    } while (!parse_ip_packet(Bytes(frame).subspan(kVnetHeaderSize))->udp());

    const auto header = parse_vnet_header(frame);
    const auto packet = parse_ip_packet(Bytes(frame).subspan(kVnetHeaderSize));

    ASSERT_TRUE(header && packet);
    EXPECT_FALSE(header->is_gso());
    EXPECT_FALSE(header->needs_checksum) << "no offload was asked for";
    EXPECT_EQ(packet->destination().to_string(), peer);
    EXPECT_EQ(packet->udp()->payload.size(), 100u);
  }
}

/// A datagram from behind the TUN to port 443 of the host, behind an empty virtio header.
test::Packet frame_for_the_host() {
  test::Packet frame(kVnetHeaderSize);
  test::Packet packet = test::udp_packet(true, test::counting_bytes(64));
  store_be32(packet.data() + 12, 0xc0000209);
  store_be16(packet.data() + 10, 0);
  store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(20)));
  store_be16(packet.data() + 26, 0);
  store_be16(packet.data() + 26, test::reference_transport_checksum(packet, 20, 26));
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

void set_up(const std::string& name, bool up) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = up ? IFF_UP : 0;
  ASSERT_EQ(::ioctl(test::udp_socket(true).get(), SIOCSIFFLAGS, &request), 0);
}

TEST(TunDevice, BringsPacketsToTheHost) {
  const auto device = TunDevice::open({.queue_count = 2});
  ASSERT_TRUE(device);
  configure(*device);
  const UniqueFd socket = test::udp_socket(true);
  const auto local = test::socket_address({*IpAddress::parse("192.0.2.1"), 443});
  ASSERT_EQ(::bind(socket.get(), local.get(), local.size), 0);
  const test::Packet frame = frame_for_the_host();

  ASSERT_EQ(::write(device->queue_fd(1), frame.data(), frame.size()),
            static_cast<ssize_t>(frame.size()))
      << std::strerror(errno);

  ASSERT_TRUE(test::is_readable(socket.get()));
  std::array<std::uint8_t, 128> payload{};
  EXPECT_EQ(::recv(socket.get(), payload.data(), payload.size(), 0), 64);
}

TEST(TunDevice, WorksAgainAfterTheLinkWasDown_F05_R04) {
  const auto device = TunDevice::open({});
  ASSERT_TRUE(device);
  configure(*device);
  const test::Packet frame = frame_for_the_host();
  set_up(device->name(), false);
  EXPECT_EQ(::write(device->queue_fd(0), frame.data(), frame.size()), -1);
  EXPECT_EQ(errno, EIO);

  set_up(device->name(), true);

  EXPECT_EQ(::write(device->queue_fd(0), frame.data(), frame.size()),
            static_cast<ssize_t>(frame.size()));
}

TEST(TunDevice, IsGrantedTheOffloadsItAsksFor) {
  const auto all = TunDevice::open({.offloads = {.checksum = true, .tcp = true, .udp = true}});
  const auto none = TunDevice::open({});

  ASSERT_TRUE(all && none);
  EXPECT_TRUE(all->offloads().checksum);
  EXPECT_TRUE(all->offloads().tcp);
  EXPECT_FALSE(none->offloads().checksum);
}

TEST(TunDevice, ChangesItsOffloadsLater) {
  auto device = TunDevice::open({});
  ASSERT_TRUE(device);

  EXPECT_TRUE(device->set_offloads({.checksum = true, .tcp = true}));
  EXPECT_TRUE(device->offloads().tcp);
  EXPECT_TRUE(device->set_offloads({}));
  EXPECT_FALSE(device->offloads().checksum);
}

TEST(TunDevice, KeepsItsOffloadsWhenTheKernelRefusesOthers) {
  auto device = TunDevice::open({.offloads = {.checksum = true}});
  ASSERT_TRUE(device);

  EXPECT_FALSE(device->set_offloads({.tcp = true}));
  EXPECT_TRUE(device->offloads().checksum);
}

TEST(TunDevice, ChangesNoOffloadsWithoutAQueue) {
  auto device = TunDevice::open({});
  ASSERT_TRUE(device);
  const UniqueFd queue = device->take_queue(0);

  EXPECT_FALSE(device->set_offloads({.checksum = true}));
}

TEST(TunDevice, RefusesOffloadsWithoutChecksums) {
  const auto device = TunDevice::open({.offloads = {.tcp = true}});

  EXPECT_FALSE(device);
}

}  // namespace
}  // namespace ringway
