#include <gtest/gtest.h>

#include "tests/control/plane_fixture.h"

/// What is pushed changes while clients are connected.
namespace ringway::test {
namespace {

using Options = std::vector<std::string>;

class ServerPushesTest : public PlaneTest {
 protected:
  ServerPushesTest() { config_.push = {"route 10.1.0.0 255.255.0.0", "block-ipv6"}; }

  PlaneClient& connect_2_7(std::uint16_t port, const TlsContext& tls) {
    ChannelSettings settings = client_settings();
    settings.peer_info.set("IV_PROTO", "8094");
    return connect(at(port), tls, settings);
  }
  PushesChanged change_to(const Options& pushes) {
    const PushesChanged changed = plane_->change_pushes(pushes, now_);
    settle();
    return changed;
  }
};

TEST_F(ServerPushesTest, TellsClientsWhatHasChanged) {
  start();
  PlaneClient& client = connect_2_7(1000, *client1_);

  const PushesChanged changed = change_to({"route 10.2.0.0 255.255.0.0"});

  EXPECT_EQ(changed.told, 1u);
  EXPECT_EQ(changed.later, 0u);
  ASSERT_EQ(client.updates.size(), 1u);
  EXPECT_EQ(client.updates[0].options, (Options{"route 10.2.0.0 255.255.0.0", "-block-ipv6"}));
}

TEST_F(ServerPushesTest, SaysNothingWhereNothingHasChanged) {
  start();
  PlaneClient& client = connect_2_7(1000, *client1_);
  const PushesChanged changed = change_to(config_.push);
  EXPECT_EQ(changed.told + changed.later, 0u);
  EXPECT_TRUE(client.updates.empty());
}

TEST_F(ServerPushesTest, TellsNothingToClientsThatDoNotTakeIt) {
  start();
  PlaneClient& old = connect(at(1000), *client1_);

  const PushesChanged changed = change_to({});

  EXPECT_EQ(changed.told, 0u);
  EXPECT_EQ(changed.later, 1u);
  EXPECT_TRUE(old.updates.empty());
}

TEST_F(ServerPushesTest, CountsWhomItCannotTellAll) {
  start();
  PlaneClient& client = connect_2_7(1000, *client1_);

  const PushesChanged changed = change_to({"route 10.1.0.0 255.255.0.0", "inactive 60"});

  EXPECT_EQ(changed.told, 0u);
  EXPECT_EQ(changed.later, 1u);
  ASSERT_EQ(client.updates.size(), 1u);
  EXPECT_EQ(client.updates[0].options, (Options{"-block-ipv6"}));
}

TEST_F(ServerPushesTest, PushesToNewcomersWhatHoldsNow) {
  start();
  change_to({"route 10.3.0.0 255.255.0.0"});
  const PlaneClient& client = connect(at(1000), *client1_);
  ASSERT_TRUE(client.push);
  EXPECT_EQ(client.push->options.at(0), "route 10.3.0.0 255.255.0.0");
}

}  // namespace
}  // namespace ringway::test
