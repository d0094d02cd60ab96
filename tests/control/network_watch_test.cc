#include "control/network_watch.h"

#include <gtest/gtest.h>
#include <poll.h>

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

}  // namespace
}  // namespace ringway
