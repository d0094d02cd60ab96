#include <gtest/gtest.h>

#include "control/control_plane.h"
#include "tests/control/plane_fixture.h"

/// What becomes of a client that is connected: renegotiation, silence, farewell, revocation, and
/// the end of the server.
namespace ringway::test {
namespace {

using ControlPlaneSessionTest = PlaneTest;

/// 0x1003, of kClientCertPem.
constexpr std::string_view kClient1Serial = "4099";
constexpr std::string_view kAuthority = "CN=Ringway Test CA, O=Ringway tests";
constexpr std::string_view kAuthoritySerial = "4097";

TEST_F(ControlPlaneSessionTest, InstallsTheKeysOfARenegotiation) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  const std::size_t before = commands_.size();
  pass(6s);
  client.channel.renegotiate(now_);
  settle();

  EXPECT_EQ(command_text(before), "install confirm");
  EXPECT_EQ(commands<InstallKeys>().back()->keys.key_id, KeyId{1});
  EXPECT_EQ(commands<ConfirmKey>().back()->key_id, KeyId{1});
  EXPECT_EQ(client.keys, (std::vector<KeyId>{{0}, {1}}));
}

TEST_F(ControlPlaneSessionTest, RefusesARenegotiationBySomebodyElse) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  pass(6s);
  *client1_ = std::move(*client2_);
  const std::size_t before = commands_.size();
  client.channel.renegotiate(now_);
  settle();

  EXPECT_TRUE(client.auth_failed);
  EXPECT_EQ(command_text(before), "unroute unroute remove");
  EXPECT_TRUE(plane_->clients().empty());
}

TEST_F(ControlPlaneSessionTest, RenegotiatesWhenAKeyWearsOut) {
  start();
  connect(at(1000), *client1_);
  pass(6s);
  plane_->handle_report(KeyWearingOut{.peer_id = {0}, .key_id = {0}}, now_);
  settle();

  EXPECT_EQ(commands<InstallKeys>().back()->keys.key_id, KeyId{1});
}

TEST_F(ControlPlaneSessionTest, RenegotiatesWhenItsTimeHasCome) {
  config_.timers.renegotiate = 100s;
  config_.timers.renegotiate_min = 90s;
  config_.timers.ping_restart = 0s;
  start();
  connect(at(1000), *client1_);
  pass(85s);
  EXPECT_EQ(commands<InstallKeys>().size(), 1u);

  pass(20s);

  EXPECT_EQ(commands<InstallKeys>().back()->keys.key_id, KeyId{1});
}

TEST_F(ControlPlaneSessionTest, RenegotiatesAfterSoManyBytes) {
  config_.timers.renegotiate_bytes = 1000;
  start();
  connect(at(1000), *client1_);
  pass(6s);

  plane_->handle_traffic({0}, 999, now_);
  settle();
  EXPECT_EQ(commands<InstallKeys>().size(), 1u);

  plane_->handle_traffic({0}, 1000, now_);
  settle();
  EXPECT_EQ(commands<InstallKeys>().size(), 2u);

  pass(6s);
  plane_->handle_traffic({0}, 1999, now_);
  settle();
  EXPECT_EQ(commands<InstallKeys>().size(), 2u);
}

TEST_F(ControlPlaneSessionTest, EndsASessionAfterItsTimeAndSaysSo) {
  config_.timers.session_timeout = 100s;
  start();
  const PlaneClient& client = connect(at(1000), *client1_);

  pass(99s);
  EXPECT_EQ(plane_->clients().size(), 1u);
  pass(2s);

  EXPECT_TRUE(plane_->clients().empty());
  EXPECT_EQ(client.left, "RESTART");
  EXPECT_EQ(commands<RemoveSession>().size(), 1u);
  EXPECT_NE(log_.find("client1/192.0.2.1:1000: session-timeout"), std::string::npos) << log_;
  pass(6s);
  EXPECT_EQ(plane_->table_sizes().channels, 0u);
}

TEST_F(ControlPlaneSessionTest, SendsIdleClientsAwayWhateverTheirPingsCount) {
  config_.timers.inactive = {.time = 10s, .bytes = 100};
  start();
  const PlaneClient& busy = connect(at(1000), *client1_);
  const PlaneClient& idle = connect(at(1001), *client2_);
  EXPECT_EQ(plane_->watched_peers(), (std::set<PeerId>{{0}, {1}}));

  for (std::uint64_t second = 1; second <= 12; ++second) {
    pass(1s);
    plane_->handle_activity({0}, 20 * second, now_);
    // The last byte of a hundred does not come.
    plane_->handle_activity({1}, std::min<std::uint64_t>(20 * second, 99), now_);
    settle();
  }

  EXPECT_EQ(busy.left, std::nullopt);
  EXPECT_EQ(idle.left, "RESTART");
  EXPECT_EQ(plane_->watched_peers(), (std::set<PeerId>{{0}}));
  EXPECT_NE(log_.find(":1001: inactive"), std::string::npos) << log_;
}

TEST_F(ControlPlaneSessionTest, WatchesNobodyWithoutALimit) {
  start();
  connect(at(1000), *client1_);

  EXPECT_TRUE(plane_->watched_peers().empty());
  plane_->handle_activity({0}, 0, now_);
  pass(1000s);
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ControlPlaneSessionTest, RemovesAClientThatIsSilentOnBothChannels) {
  start();
  connect(at(1000), *client1_);
  pass(60s);
  plane_->handle_report(PeerIdle{.peer_id = {0}, .last_received = {}}, now_);
  EXPECT_EQ(plane_->clients().size(), 1u);

  pass(61s);
  const std::size_t before = commands_.size();
  plane_->handle_report(PeerIdle{.peer_id = {0}, .last_received = {}}, now_);
  settle();

  EXPECT_TRUE(plane_->clients().empty());
  EXPECT_EQ(command_text(before), "unroute unroute remove");
}

TEST_F(ControlPlaneSessionTest, TakesEverythingBackWhenAClientSaysExit) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  const std::size_t before = commands_.size();
  client.channel.send_message("EXIT", now_);
  settle();

  EXPECT_EQ(command_text(before), "unroute unroute remove");
  EXPECT_TRUE(plane_->clients().empty());
}

TEST_F(ControlPlaneSessionTest, DoesNotLetAClientPostponeItsRemovalByRepeatingExit) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  for (int i = 0; i < 8; ++i) {
    client.channel.send_message("EXIT", now_);
    settle();
    pass(1s);
  }

  EXPECT_TRUE(waits_for_nobody());
}

TEST_F(ControlPlaneSessionTest, TakesEverythingBackWhenAClientLeavesOnTheDataChannel) {
  start();
  connect(at(1000), *client1_);
  const std::size_t before = commands_.size();
  plane_->handle_report(PeerExited{.peer_id = {0}}, now_);
  settle();

  EXPECT_EQ(command_text(before), "unroute unroute remove");
}

TEST_F(ControlPlaneSessionTest, IgnoresReportsAboutPeersThatAreGone) {
  start();
  plane_->handle_report(PeerExited{.peer_id = {5}}, now_);
  plane_->handle_report(PeerIdle{.peer_id = {5}, .last_received = {}}, now_);
  plane_->handle_report(KeyWearingOut{.peer_id = {5}, .key_id = {}}, now_);

  EXPECT_FALSE(plane_->poll_command());
}

TEST_F(ControlPlaneSessionTest, RemovesClientsWhoseCertificateWasRevoked) {
  start();
  const PlaneClient& revoked = connect(at(1000), *client1_);
  connect(at(2000), *client2_);
  plane_->revoke({{.issuer = "", .serial_decimal = std::string(kClient1Serial)}}, now_);
  settle();

  EXPECT_TRUE(revoked.auth_failed);
  ASSERT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(plane_->clients()[0].common_name, "client2");
  EXPECT_FALSE(connect(at(3000), *client1_).push);
}

// B11.
TEST_F(ControlPlaneSessionTest, RemovesClientsBelowAnAuthorityThatWasRevoked) {
  start();
  const PlaneClient& below = connect(at(1000), *client1_);
  plane_->revoke({{.issuer = std::string(kAuthority), .serial_decimal = "1"},
                  {.issuer = "CN = Another CA", .serial_decimal = std::string(kAuthoritySerial)}},
                 now_);
  EXPECT_EQ(plane_->clients().size(), 1u);

  plane_->revoke(
      {{.issuer = std::string(kAuthority), .serial_decimal = std::string(kAuthoritySerial)}}, now_);
  settle();
  EXPECT_TRUE(below.auth_failed);
  EXPECT_TRUE(plane_->clients().empty());
}

TEST_F(ControlPlaneSessionTest, KeepsClientsWhoseSerialAnotherIssuerHasRevoked) {
  start();
  connect(at(1000), *client1_);
  plane_->revoke({{.issuer = "CN = Another CA", .serial_decimal = std::string(kClient1Serial)}},
                 now_);

  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ControlPlaneSessionTest, StopsAtOnceWhenNobodyIsToBeTold) {
  start();
  connect(at(1000), *client1_);
  EXPECT_FALSE(plane_->is_shut_down(now_));
  plane_->begin_shutdown(now_);

  EXPECT_TRUE(plane_->is_shut_down(now_));
}

TEST_F(ControlPlaneSessionTest, TellsClientsToReconnectBeforeItStops) {
  config_.explicit_exit_notify = 2;
  start();
  const PlaneClient& client = connect(at(1000), *client1_);
  now_.instant = now_.instant + 1s;
  plane_->begin_shutdown(now_);
  EXPECT_FALSE(plane_->is_shut_down(now_));
  now_.instant = now_.instant + 10ms;
  settle();

  EXPECT_EQ(client.left, "RESTART,[N]");
  EXPECT_TRUE(plane_->is_shut_down(now_));
}

TEST_F(ControlPlaneSessionTest, DoesNotWaitLongForClientsThatDoNotAnswer) {
  config_.explicit_exit_notify = 1;
  start();
  connect(at(1000), *client1_);
  clients_.clear();
  plane_->begin_shutdown(now_);
  settle();
  EXPECT_FALSE(plane_->is_shut_down(now_));

  ASSERT_TRUE(plane_->poll_timeout());
  EXPECT_LE(*plane_->poll_timeout() - now_.instant, 2s);
  EXPECT_TRUE(plane_->is_shut_down({.instant = now_.instant + 2s, .wall = now_.wall}));
}

TEST_F(ControlPlaneSessionTest, AdmitsNobodyWhileItStops) {
  config_.explicit_exit_notify = 1;
  start();
  connect(at(1000), *client1_);
  plane_->begin_shutdown(now_);

  EXPECT_FALSE(connect(at(2000), *client2_).push);
}

}  // namespace
}  // namespace ringway::test
