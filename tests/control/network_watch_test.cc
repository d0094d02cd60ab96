#include "control/network_watch.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#include <array>
#include <cstring>

#include "tests/dataplane/link_client.h"
#include "tests/support/patience.h"

/// In the network namespace of its program.
namespace ringway {
namespace {

NetworkWatch::Change wait_for_change(NetworkWatch& watch) {
  pollfd waiting{.fd = watch.fd(), .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, test::kPatienceMs);
  return watch.take();
}

TEST(NetworkWatch, TellsWhatComesAndWhatGoes) {
  test::run("ip link set lo up");
  auto watch = NetworkWatch::open();
  ASSERT_TRUE(watch);
  static_cast<void>(watch->take());

  test::run("ip address add 192.0.2.77/32 dev lo");
  EXPECT_TRUE(wait_for_change(*watch).gained);
  static_cast<void>(watch->take());

  test::run("ip address del 192.0.2.77/32 dev lo");
  EXPECT_TRUE(wait_for_change(*watch).lost);
}

TEST(NetworkWatch, KnowsWhetherAnAddressIsThere) {
  test::run("ip link set lo up");
  const Endpoint own{*IpAddress::parse("192.0.2.78")};
  EXPECT_FALSE(has_address(own));
  test::run("ip address add 192.0.2.78/32 dev lo");
  EXPECT_TRUE(has_address(own));
  test::run("ip address del 192.0.2.78/32 dev lo");
  EXPECT_FALSE(has_address(own));
  EXPECT_FALSE(has_address({*IpAddress::parse("2001:db8::78")}));
}

TEST(NetworkWatch, ReadsNothingBeyondAMessageThatIsCut) {
  const nlmsghdr gained{.nlmsg_len = 16, .nlmsg_type = RTM_NEWADDR};
  const nlmsghdr cut{.nlmsg_len = 17, .nlmsg_type = RTM_DELADDR};
  std::array<std::uint8_t, 32> bytes;
  std::memcpy(bytes.data(), &gained, 16);
  std::memcpy(bytes.data() + 16, &cut, 16);

  NetworkWatch::Change change;
  change.add(bytes);

  EXPECT_TRUE(change.gained);
  EXPECT_FALSE(change.lost);
}

}  // namespace
}  // namespace ringway
