#include "control/float_judge.h"

#include <gtest/gtest.h>

#include "tests/control/plane_fixture.h"

/// Whose endpoint it is (security goal A18), as the control plane decides it.
namespace ringway::test {
namespace {

class FloatJudgeTest : public PlaneTest {
 protected:
  void report_moved(PlaneClient& client, const LinkEndpoint& there) {
    plane_->handle_report(PeerFloated{.peer_id = peer_of(client), .endpoint = there}, now_);
    settle();
  }
  void report_claimed(PlaneClient& client, const LinkEndpoint& there) {
    plane_->handle_report(EndpointClaimed{.peer_id = peer_of(client), .endpoint = there}, now_);
    settle();
  }
  static PeerId peer_of(const PlaneClient& client) {
    const auto value = find_option(*client.push, "peer-id");
    return {static_cast<std::uint32_t>(std::stoul(std::string(value.value_or("0"))))};
  }
  LinkEndpoint endpoint_in_summary(const PlaneClient& client) {
    for (const ClientSummary& summary : plane_->clients()) {
      if (summary.peer_id == peer_of(client)) return summary.endpoint;
    }
    return {};
  }
  void expect_no_leak() {
    EXPECT_EQ(plane_->table_sizes().channels, plane_->table_sizes().endpoints);
  }
  /// From now on the plane asks, and this is the answer for every peer.
  void last_heard_is(Instant when) {
    plane_->set_last_heard([when](PeerId) { return std::optional(when); });
  }

  const LinkEndpoint away_ = at(4000, "2001:db8::9");
};

TEST_F(FloatJudgeTest, LetsAClientGoWhereNobodyIs) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  const std::size_t before = commands_.size();

  report_moved(client, away_);

  EXPECT_EQ(endpoint_in_summary(client), away_);
  EXPECT_EQ(command_text(before), "");
  EXPECT_NE(log_.find("client1/192.0.2.1:1000: floated to [2001:db8::9]:4000"), std::string::npos)
      << log_;
  expect_no_leak();
}

TEST_F(FloatJudgeTest, TalksToAClientWhereItIsAndRenegotiatesThere) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  client.endpoint = away_;
  report_moved(client, away_);
  pass(6s);

  client.channel.renegotiate(now_);
  settle();
  EXPECT_EQ(client.keys.back(), KeyId{1});
  pass(6s);
  plane_->handle_report(KeyWearingOut{.peer_id = peer_of(client), .key_id = {1}}, now_);
  settle();

  EXPECT_EQ(client.keys.back(), KeyId{2});
}

TEST_F(FloatJudgeTest, DoesNotLetControlPacketsMoveAClient_A18) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  pass(6s);
  client.endpoint = away_;

  client.channel.renegotiate(now_);
  settle();

  EXPECT_EQ(client.keys.size(), 1u);
  EXPECT_EQ(endpoint_in_summary(client), at(1000));
}

TEST_F(FloatJudgeTest, TakesAResetFromWhereAClientWasForAStrangers_A15) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  client.endpoint = away_;
  report_moved(client, away_);

  PlaneClient& stranger = connect(at(1000), *client2_);

  EXPECT_TRUE(stranger.push);
  EXPECT_EQ(plane_->clients().size(), 2u);
  EXPECT_EQ(endpoint_in_summary(client), away_);
  expect_no_leak();
}

TEST_F(FloatJudgeTest, SendsASessionBackFromWhereAnotherIdentityLives_A18) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  PlaneClient& resident = connect(at(2000), *client2_);
  const std::size_t before = commands_.size();

  report_moved(client, resident.endpoint);

  EXPECT_EQ(command_text(before), "refuse");
  EXPECT_EQ(commands<RefuseEndpoint>()[0]->refused, resident.endpoint);
  EXPECT_EQ(commands<RefuseEndpoint>()[0]->endpoint, at(1000));
  EXPECT_EQ(endpoint_in_summary(client), at(1000));
  EXPECT_EQ(endpoint_in_summary(resident), at(2000));
  expect_no_leak();
}

TEST_F(FloatJudgeTest, RefusesAClaimByKeepingSilentAndLogsItOnceAMinute) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  connect(at(2000), *client2_);
  const std::size_t before = commands_.size();
  for (int i = 0; i < 30; ++i) {
    report_claimed(client, at(2000));
    now_.instant = now_.instant + 1s;
  }

  EXPECT_EQ(command_text(before), "");
  const std::size_t logged = log_.find("was heard at 192.0.2.1:2000");
  ASSERT_NE(logged, std::string::npos) << log_;
  EXPECT_EQ(log_.find("was heard at", logged + 1), std::string::npos) << log_;
}

TEST_F(FloatJudgeTest, GrantsAClaimWhenTheOtherHasLeft) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  PlaneClient& resident = connect(at(2000), *client2_);
  report_moved(client, at(2000));
  report_moved(resident, at(3000));
  const std::size_t before = commands_.size();

  report_claimed(client, at(2000));

  EXPECT_EQ(command_text(before), "move");
  EXPECT_EQ(commands<MoveSession>()[0]->endpoint, at(2000));
  EXPECT_EQ(endpoint_in_summary(client), at(2000));
  expect_no_leak();
}

// A NAT that was restarted has given each of them the other's port: neither is where it was, and
// nobody is locked out.
TEST_F(FloatJudgeTest, LetsTwoClientsSwapTheirEndpoints) {
  start();
  PlaneClient& one = connect(at(1000), *client1_);
  PlaneClient& two = connect(at(2000), *client2_);

  report_moved(one, at(2000));
  EXPECT_EQ(endpoint_in_summary(one), at(1000));
  report_moved(two, at(1000));
  EXPECT_EQ(endpoint_in_summary(two), at(1000));
  now_.instant = now_.instant + 1s;
  report_claimed(one, at(2000));

  EXPECT_EQ(endpoint_in_summary(one), at(2000));
  EXPECT_EQ(commands<MoveSession>().size(), 1u);
  expect_no_leak();
}

TEST_F(FloatJudgeTest, ForgetsThatAClientWasHeardElsewhereAfterAWhile_A18) {
  start();
  PlaneClient& one = connect(at(1000), *client1_);
  PlaneClient& two = connect(at(2000), *client2_);
  report_claimed(one, at(2000));
  now_.instant = now_.instant + FloatJudge::kClaimLife;

  report_moved(two, at(1000));

  EXPECT_EQ(endpoint_in_summary(two), at(2000));
}

TEST_F(FloatJudgeTest, LetsAClientGoWhereAnotherHasFallenSilent) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  PlaneClient& resident = connect(at(2000), *client2_);
  last_heard_is(now_.instant);
  now_.instant = now_.instant + FloatJudge::kSilentPings * config_.timers.ping - 1ms;
  report_moved(client, at(2000));
  EXPECT_EQ(endpoint_in_summary(client), at(1000));

  now_.instant = now_.instant + 1ms;
  report_claimed(client, at(2000));

  EXPECT_EQ(endpoint_in_summary(client), at(2000));
  // It may only be asleep, and floats when it wakes up.
  EXPECT_EQ(plane_->clients().size(), 2u);
  report_moved(resident, at(3000));
  EXPECT_EQ(endpoint_in_summary(resident), at(3000));
  expect_no_leak();
}

TEST_F(FloatJudgeTest, NeverTakesAClientForSilentThatHasNoPings) {
  config_.timers.ping = 0s;
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  connect(at(2000), *client2_);
  last_heard_is(now_.instant);
  now_.instant = now_.instant + 3600s;

  report_moved(client, at(2000));

  EXPECT_EQ(endpoint_in_summary(client), at(1000));
}

TEST_F(FloatJudgeTest, LetsAClientGoWhereItsOwnCertificateIs) {
  config_.duplicate_cn = true;
  start();
  PlaneClient& laptop = connect(at(1000), *client1_);
  PlaneClient& phone = connect(at(2000), *client1_);

  report_moved(laptop, at(2000));

  EXPECT_EQ(endpoint_in_summary(laptop), at(2000));
  EXPECT_EQ(endpoint_in_summary(phone), at(2000));
  expect_no_leak();
}

TEST_F(FloatJudgeTest, TakesNobodyForTheSameWithoutACertificate_A18) {
  config_.tls.verify_client_cert = VerifyClientCert::None;
  config_.duplicate_cn = true;
  const auto tls_without_client_certificates = [](Side side) {
    TlsMaterial material{.ca_pem = std::string(kCaPem)};
    material.require_peer_cert = material.request_peer_cert = side == Side::Client;
    if (side == Side::Server) {
      material.cert_pem = kServerCertPem;
      material.key_pem = kServerKeyPem;
    }
    auto context = TlsContext::make(side, material, kWall);
    EXPECT_TRUE(context) << (context ? "" : context.error().to_string());
    return std::make_unique<TlsContext>(std::move(*context));
  };
  server_tls_ = tls_without_client_certificates(Side::Server);
  const auto nameless = tls_without_client_certificates(Side::Client);
  start();
  PlaneClient& one = connect(at(1000), *nameless);
  PlaneClient& two = connect(at(2000), *nameless);
  ASSERT_TRUE(one.push && two.push) << log_;

  report_moved(one, at(2000));

  EXPECT_EQ(endpoint_in_summary(one), at(1000));
}

// Session ids are on the wire for everybody to copy.
TEST_F(FloatJudgeTest, MakesRoomWhereSomebodyHasBegunUnderTheSameSessionId_A18) {
  start();
  SeededRandom dice(3);
  SeededRandom same_dice(3);
  const auto add_with = [&](RandomSource& random, const LinkEndpoint& there) -> PlaneClient& {
    clients_.push_back(
        std::make_unique<PlaneClient>(client_settings(), wrap_, *client1_, random, there, now_));
    return *clients_.back();
  };
  PlaneClient& client = add_with(dice, at(1000));
  settle();
  ASSERT_TRUE(client.push);
  PlaneClient& copycat = add_with(same_dice, away_);
  ASSERT_EQ(copycat.channel.local_session(), client.channel.local_session());
  from_client(copycat);
  ASSERT_EQ(plane_->half_open_count(), 1u);

  report_moved(client, away_);

  EXPECT_EQ(endpoint_in_summary(client), away_);
  EXPECT_EQ(plane_->half_open_count(), 0u);
  expect_no_leak();
}

TEST_F(FloatJudgeTest, IgnoresReportsOfClientsThatAreGone) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  const PeerId peer = peer_of(client);
  plane_->handle_report(PeerExited{.peer_id = peer}, now_);
  settle();

  plane_->handle_report(PeerFloated{.peer_id = peer, .endpoint = away_}, now_);
  plane_->handle_report(EndpointClaimed{.peer_id = {77}, .endpoint = away_}, now_);
  settle();

  EXPECT_TRUE(commands<MoveSession>().empty());
  expect_no_leak();
}

TEST_F(FloatJudgeTest, FollowsAClientThatHasChangedOurAddressOnly) {
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  LinkEndpoint there = client.endpoint;
  there.local = *IpAddress::parse("198.51.100.2");
  client.endpoint = there;

  report_moved(client, there);

  EXPECT_EQ(endpoint_in_summary(client), there);
  expect_no_leak();
}

}  // namespace
}  // namespace ringway::test
