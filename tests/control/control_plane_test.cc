#include "control/control_plane.h"

#include <gtest/gtest.h>

#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"
#include "tests/control/plane_fixture.h"

namespace ringway::test {
namespace {

using ControlPlaneTest = PlaneTest;
using Options = std::vector<std::string>;

TEST_F(ControlPlaneTest, ConnectsAClientAndPushesItsOptions) {
  start();
  const PlaneClient& client = connect(at(1000), *client1_);

  ASSERT_TRUE(client.push) << log_;
  EXPECT_EQ(client.push->options,
            (Options{"route-gateway 10.77.0.1", "topology subnet", "ping 10", "ping-restart 60",
                     "ifconfig-ipv6 fd77::1000/64 fd77::1", "ifconfig 10.77.0.2 255.255.255.0",
                     "peer-id 0", "cipher AES-256-GCM",
                     "protocol-flags cc-exit tls-ekm dyn-tls-crypt", "tun-mtu 1500"}));
  EXPECT_EQ(client.keys, std::vector<KeyId>{{0}});
  EXPECT_EQ(plane_->half_open_count(), 0u);
  ASSERT_EQ(plane_->clients().size(), 1u);
  const ClientSummary summary = plane_->clients().front();
  EXPECT_EQ(summary.common_name, "client1");
  EXPECT_EQ(summary.address_v4->to_string(), "10.77.0.2");
  EXPECT_EQ(summary.cipher, DataCipher::Aes256Gcm);
}

TEST_F(ControlPlaneTest, HandsKeysAndRoutesToTheWorkersBeforeTheClientLearnsItsOptions) {
  start(2);
  const PlaneClient& client = connect(at(1000), *client1_);

  ASSERT_TRUE(client.push);
  EXPECT_EQ(command_text(), "add install route route route route");
  EXPECT_EQ(client.commands_before_push, commands_.size());
  EXPECT_EQ(commands_[0].worker, WorkerId{0});
  EXPECT_EQ(commands_[1].worker, WorkerId{0});
  EXPECT_EQ(commands<AddRoute>()[0]->prefix.to_string(), "10.77.0.2/32");
  EXPECT_EQ(commands<AddRoute>()[2]->prefix.to_string(), "fd77::1000/128");
  EXPECT_EQ(commands<AddSession>()[0]->settings.mssfix, MssFix{});
  EXPECT_EQ(commands<AddSession>()[0]->settings.ping_restart, 120s);
}

TEST_F(ControlPlaneTest, SpreadsClientsOverTheWorkers) {
  start(2);
  connect(at(1000), *client1_);
  connect(at(2000), *client2_);

  EXPECT_EQ(commands<AddSession>()[0]->peer_id, PeerId{0});
  EXPECT_EQ(commands<AddSession>()[1]->peer_id, PeerId{1});
}

TEST_F(ControlPlaneTest, WaitsForThePushRequestOfAnOldClient) {
  start();
  ChannelSettings settings = client_settings();
  settings.peer_info = PeerInfo::parse("IV_PROTO=2\nIV_NCP=2\n");
  const PlaneClient& client = connect(at(1000), *client1_, settings);

  ASSERT_TRUE(client.push) << log_;
  EXPECT_EQ(client.push->options.back(), "cipher AES-256-GCM");
}

TEST_F(ControlPlaneTest, AnswersARepeatedPushRequestAfterHalfAMinuteOnly) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  ASSERT_TRUE(client.push);

  constexpr std::size_t kAcknowledgementSizeMax = 1 + 8 + 1 + 4 * 8 + 8;
  bytes_sent_ = 0;
  client.channel.send_message("PUSH_REQUEST", now_);
  settle();
  EXPECT_GT(bytes_sent_, 0u);
  EXPECT_LE(bytes_sent_, kAcknowledgementSizeMax);

  pass(31s);
  bytes_sent_ = 0;
  client.channel.send_message("PUSH_REQUEST", now_);
  settle();
  EXPECT_GT(bytes_sent_, 200u);
}

TEST_F(ControlPlaneTest, GivesAReturningClientItsAddressUnderANewPeerId) {
  start();
  connect(at(1000), *client1_);
  connect(at(1001), *client2_);
  pass(2s);
  const PlaneClient& again = connect(at(1002), *client1_);

  ASSERT_TRUE(again.push);
  EXPECT_EQ(find_option(*again.push, "ifconfig"), "10.77.0.2 255.255.255.0");
  EXPECT_EQ(find_option(*again.push, "peer-id"), "2");
}

TEST_F(ControlPlaneTest, RemembersTheAddressesOfEarlierRuns) {
  start(1, "client1,10.77.0.40,fd77::1026\n");
  const PlaneClient& client = connect(at(1000), *client1_);

  EXPECT_EQ(find_option(*client.push, "ifconfig"), "10.77.0.40 255.255.255.0");
  EXPECT_EQ(plane_->leases_text(), "client1,10.77.0.40,fd77::1026\n");
}

TEST_F(ControlPlaneTest, ReplacesTheOlderSessionOfAName) {  // B18
  start();
  connect(at(1000), *client1_);
  pass(2s);
  const std::size_t before = commands_.size();
  connect(at(2000, "192.0.2.99"), *client1_);

  EXPECT_EQ(command_text(before), "unroute unroute remove add install route route");
  ASSERT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(plane_->clients()[0].endpoint.remote.port, 2000);
}

// B18
TEST_F(ControlPlaneTest, DoesNotLetTwoClientsOfOneNameEvictEachOtherInALoop) {
  start();
  connect(at(1000), *client1_);
  const PlaneClient& second = connect(at(2000, "192.0.2.99"), *client1_);

  EXPECT_FALSE(second.push);
  ASSERT_TRUE(second.auth_failed);
  EXPECT_TRUE(second.auth_failed->starts_with("TEMP"));
  EXPECT_EQ(plane_->clients()[0].endpoint.remote.port, 1000);
}

TEST_F(ControlPlaneTest, KeepsBothSessionsOfANameWithDuplicateCn) {
  config_.duplicate_cn = true;
  start();
  connect(at(1000), *client1_);
  const PlaneClient& second = connect(at(2000), *client1_);

  EXPECT_EQ(plane_->clients().size(), 2u);
  EXPECT_EQ(find_option(*second.push, "ifconfig"), "10.77.0.3 255.255.255.0");
}

TEST_F(ControlPlaneTest, RefusesMoreThanMaxClients) {
  config_.clients_max = 1;
  start();
  connect(at(1000), *client1_);
  const PlaneClient& second = connect(at(2000), *client2_);

  EXPECT_EQ(second.auth_failed, "TEMP: the server is full");
  EXPECT_EQ(plane_->clients().size(), 1u);
  EXPECT_NE(log_.find("max-clients 1"), std::string::npos);
}

TEST_F(ControlPlaneTest, LetsAnOldClientTryAgainWhenTheServerIsFull) {
  config_.clients_max = 1;
  start();
  connect(at(1000), *client1_);
  ChannelSettings settings = client_settings();
  settings.peer_info = PeerInfo::parse("IV_PROTO=2\nIV_NCP=2\n");
  const PlaneClient& second = connect(at(2000), *client2_, settings);

  EXPECT_FALSE(second.auth_failed);
  EXPECT_FALSE(second.push);
}

TEST_F(ControlPlaneTest, ReplacesAnOwnSessionEvenWhenTheServerIsFull) {
  config_.clients_max = 1;
  start();
  connect(at(1000), *client1_);
  pass(2s);

  EXPECT_TRUE(connect(at(2000), *client1_).push);
}

TEST_F(ControlPlaneTest, SaysThatNoCipherIsShared) {
  config_.data_ciphers = {DataCipher::ChaCha20Poly1305};
  start();
  ChannelSettings settings = client_settings();
  settings.peer_info.set("IV_CIPHERS", "AES-256-GCM");
  const PlaneClient& client = connect(at(1000), *client1_, settings);

  EXPECT_EQ(client.auth_failed, "Data channel cipher negotiation failed (no shared cipher)");
  EXPECT_TRUE(commands_.empty());
}

TEST_F(ControlPlaneTest, ForgetsARefusedClientWhenItHasHeard) {
  config_.data_ciphers = {DataCipher::ChaCha20Poly1305};
  start();
  ChannelSettings settings = client_settings();
  settings.peer_info.set("IV_CIPHERS", "AES-256-GCM");
  connect(at(1000), *client1_, settings);

  pass(16s);

  EXPECT_TRUE(waits_for_nobody());
}

TEST_F(ControlPlaneTest, AdmitsNobodyWithAForeignCertificate) {
  start();
  const auto stranger = make_tls(Side::Client, kForeignClientCertPem, kForeignClientKeyPem);
  const PlaneClient& client = connect(at(1000), *stranger);
  pass(2s);

  EXPECT_FALSE(client.push);
  EXPECT_TRUE(commands_.empty());
  EXPECT_TRUE(plane_->clients().empty());
}

TEST_F(ControlPlaneTest, KeepsNothingForAClientThatHasNotReturnedTheCookie) {
  start();
  ControlPacket reset{.opcode = Opcode::HardResetClientV2, .message_id = {0}};
  reset.sender.bytes.fill(5);
  to_server(encoded(reset), at(1000));

  EXPECT_FALSE(last_answer_.empty());
  EXPECT_EQ(plane_->half_open_count(), 0u);
  EXPECT_TRUE(waits_for_nobody());
}

TEST_F(ControlPlaneTest, BoundsHalfOpenChannelsAndGivesUpTheOldest) {  // A13, R08
  config_.connect_freq_source = {};
  start();
  PlaneClient& admitted = connect(at(1000), *client1_);
  constexpr std::size_t kExtra = 10;
  for (std::uint32_t i = 0; i < ControlPlane::kHalfOpenMax + kExtra; ++i) {
    prove(at(static_cast<std::uint16_t>(2000 + i)), i);
    while (plane_->poll_event()) {
    }
  }

  EXPECT_EQ(plane_->half_open_count(), ControlPlane::kHalfOpenMax);
  EXPECT_EQ(dropped(Drop::HalfOpenLimit), kExtra);
  EXPECT_EQ(plane_->clients().size(), 1u);
  EXPECT_TRUE(connect(at(900), *client2_).push);
  EXPECT_FALSE(admitted.is_closed);
}

TEST_F(ControlPlaneTest, LetsNoStrangerTakeThePlaceOfWhoIsBeingVerified) {  // A13
  config_.programs.connect = {.words = {"/bin/true"}, .where = "server.conf:1"};
  config_.connect_freq_source = {};
  start();
  const PlaneClient& client = connect(at(1000), *client1_);
  const auto question = plane_->poll_question();
  ASSERT_TRUE(question) << log_;
  for (std::uint32_t i = 0; i < ControlPlane::kHalfOpenMax + 10; ++i) {
    prove(at(static_cast<std::uint16_t>(2000 + i)), i);
  }
  EXPECT_GT(dropped(Drop::HalfOpenLimit), 0u);

  plane_->handle_answer(question->id, {.accepted = true}, now_);
  settle();

  EXPECT_TRUE(client.push) << log_;
}

TEST_F(ControlPlaneTest, DropsHalfOpenChannelsAfterTheHandWindow) {
  start();
  prove(at(1000), 1);
  EXPECT_EQ(plane_->half_open_count(), 1u);

  pass(61s);

  EXPECT_EQ(plane_->half_open_count(), 0u);
  EXPECT_TRUE(waits_for_nobody());
}

TEST_F(ControlPlaneTest, ReplacesAHalfOpenChannelByANewerOneOfItsEndpoint) {
  start();
  prove(at(1000), 1);

  EXPECT_TRUE(connect(at(1000), *client1_).push);
  EXPECT_EQ(plane_->half_open_count(), 0u);
}

TEST_F(ControlPlaneTest, AnswersResetsAtALiveEndpointOnceASecondAndLeavesTheSessionAlone) {
  start();
  connect(at(1000), *client1_);
  const std::size_t before = commands_.size();

  EXPECT_TRUE(prove(at(1000), 1));
  EXPECT_FALSE(prove(at(1000), 2));
  EXPECT_EQ(dropped(Drop::RateLimited), 1u);
  now_.instant = now_.instant + 1s;
  EXPECT_TRUE(prove(at(1000), 3));

  EXPECT_EQ(command_text(before), "");
  EXPECT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(plane_->half_open_count(), 1u);
}

TEST_F(ControlPlaneTest, ReplacesTheSessionOfAClientThatWasRestartedOnTheSamePort) {
  start();
  connect(at(1000), *client1_);
  clients_.clear();
  const std::size_t before = commands_.size();
  const PlaneClient& again = connect(at(1000), *client1_);

  ASSERT_TRUE(again.push) << log_;
  EXPECT_EQ(command_text(before), "unroute unroute remove add install route route");
  EXPECT_EQ(find_option(*again.push, "ifconfig"), "10.77.0.2 255.255.255.0");
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ControlPlaneTest, LetsAnotherIdentityAtALiveEndpointInheritNothing) {
  start();
  connect(at(1000), *client1_);
  clients_.clear();
  const PlaneClient& other = connect(at(1000), *client2_);

  ASSERT_TRUE(other.push);
  EXPECT_EQ(find_option(*other.push, "ifconfig"), "10.77.0.3 255.255.255.0");
  EXPECT_EQ(find_option(*other.push, "peer-id"), "1");
  EXPECT_EQ(plane_->clients().size(), 1u);
}

}  // namespace
}  // namespace ringway::test
