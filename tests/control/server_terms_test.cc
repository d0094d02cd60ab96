#include <gtest/gtest.h>

#include "control/control_plane.h"
#include "tests/control/plane_fixture.h"

/// What clients are given by their own lines.
namespace ringway::test {
namespace {

class ServerTermsTest : public PlaneTest {
 protected:
  ServerTermsTest() { config_.client_config_directory = "ccd"; }

  /// Answers what is asked about one client with these lines.
  void answer_with(const std::string& lines) {
    const std::optional<PlaneQuestion> question = plane_->poll_question();
    ASSERT_TRUE(question) << log_;
    ASSERT_EQ(question->kind, QuestionKind::ClientConfig);
    plane_->handle_answer(question->id, {.accepted = true, .text = lines, .where = "ccd/file"},
                          now_);
    settle();
  }
  PlaneClient& connect_with(const LinkEndpoint& endpoint, const TlsContext& tls,
                            const std::string& lines) {
    PlaneClient& client = connect(endpoint, tls);
    answer_with(lines);
    return client;
  }
  static bool pushed(const PlaneClient& client, const std::string& option) {
    return client.push &&
           std::ranges::find(client.push->options, option) != client.push->options.end();
  }
  /// The routes that the workers have by now: "network peer" each, in the order of the networks.
  std::string routes() const {
    std::map<Prefix, PeerId> table;
    for (const AddressedCommand& addressed : commands_) {
      if (const auto* add = std::get_if<AddRoute>(&addressed.command)) {
        table[add->prefix] = add->peer_id;
      } else if (const auto* gone = std::get_if<RemoveRoute>(&addressed.command)) {
        const auto found = table.find(gone->prefix);
        if (found != table.end() && found->second == gone->peer_id) table.erase(found);
      }
    }
    std::string text;
    for (const auto& [network, peer] : table) {
      text += network.to_string() + " " + std::to_string(peer.value) + "\n";
    }
    return text;
  }
  bool logged(const std::string& text) const { return log_.find(text) != std::string::npos; }
};

TEST_F(ServerTermsTest, GivesACipherThatTheClientsLinesAllow) {
  config_.data_ciphers = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm};
  start();
  const PlaneClient& one = connect_with(at(1000), *client1_, "data-ciphers AES-128-GCM\n");
  const PlaneClient& two = connect_with(at(1001), *client2_, "data-ciphers CHACHA20-POLY1305\n");

  EXPECT_TRUE(pushed(one, "cipher AES-128-GCM"));
  EXPECT_TRUE(two.auth_failed);
  EXPECT_TRUE(logged("ccd/file:1: `data-ciphers` leaves it none")) << log_;
}

TEST_F(ServerTermsTest, GivesFixedAddressesAndTheOtherFamilyOfThePool) {
  start();
  const PlaneClient& one =
      connect_with(at(1000), *client1_, "ifconfig-push 10.77.0.50 255.255.255.0\n");
  const PlaneClient& two = connect_with(at(1001), *client2_, "ifconfig-ipv6-push fd77::77/64\n");

  EXPECT_TRUE(pushed(one, "ifconfig 10.77.0.50 255.255.255.0"));
  // The index of the address that is its own.
  EXPECT_TRUE(pushed(one, "ifconfig-ipv6 fd77::1030/64 fd77::1"));
  EXPECT_TRUE(pushed(two, "ifconfig 10.77.0.2 255.255.255.0"));
  EXPECT_TRUE(pushed(two, "ifconfig-ipv6 fd77::77/64 fd77::1"));
  EXPECT_EQ(routes(), "10.77.0.2/32 1\n10.77.0.50/32 0\nfd77::77/128 1\nfd77::1030/128 0\n");
}

TEST_F(ServerTermsTest, LeadsNetworksBehindAClientToItAndTakesThemBack) {
  start();
  PlaneClient& client = connect_with(
      at(1000), *client1_,
      "iroute 192.168.4.0 255.255.255.0\niroute-ipv6 2001:db8:4::/64\niroute 192.168.4.0 "
      "255.255.255.0\n");
  EXPECT_EQ(routes(), "10.77.0.2/32 0\n192.168.4.0/24 0\n2001:db8:4::/64 0\nfd77::1000/128 0\n");
  ASSERT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(plane_->clients().front().networks,
            (std::vector{*Prefix::parse("192.168.4.0/24"), *Prefix::parse("2001:db8:4::/64")}));

  client.channel.send_message("EXIT", now_);
  settle();
  EXPECT_EQ(routes(), "");
}

TEST_F(ServerTermsTest, LetsASecondRouterStandInForTheFirst) {
  start();
  connect_with(at(1000), *client1_, "iroute 192.168.4.0 255.255.255.0\n");
  PlaneClient& second = connect_with(at(1001), *client2_, "iroute 192.168.4.0 255.255.255.0\n");
  EXPECT_NE(routes().find("192.168.4.0/24 1\n"), std::string::npos);
  EXPECT_TRUE(logged("192.168.4.0/24 is behind it, and behind client1/192.0.2.1:1000"));

  second.channel.send_message("EXIT", now_);
  settle();
  EXPECT_NE(routes().find("192.168.4.0/24 0\n"), std::string::npos);
}

TEST_F(ServerTermsTest, KeepsFixedAddressesOutOfThePool) {
  start();
  plane_->foresee_client("later", "ifconfig-push 10.77.0.2 255.255.255.0\n", "ccd/later", now_);

  const PlaneClient& client = connect_with(at(1000), *client1_, "");

  EXPECT_TRUE(pushed(client, "ifconfig 10.77.0.3 255.255.255.0"));
}

TEST_F(ServerTermsTest, SendsAwayWhoHasAnAddressThatIsFixedForAnother) {
  start();
  const PlaneClient& early = connect_with(at(1000), *client1_, "");
  ASSERT_TRUE(pushed(early, "ifconfig 10.77.0.2 255.255.255.0"));
  const PlaneClient& owner =
      connect_with(at(1001), *client2_, "ifconfig-push 10.77.0.2 255.255.255.0\n");

  EXPECT_TRUE(pushed(owner, "ifconfig 10.77.0.2 255.255.255.0"));
  EXPECT_EQ(early.left, "RESTART");
  EXPECT_EQ(routes(), "10.77.0.2/32 1\nfd77::1001/128 1\n") << log_;
}

TEST_F(ServerTermsTest, RefusesASecondClientWithTheSameFixedAddress) {
  start();
  connect_with(at(1000), *client1_, "ifconfig-push 10.77.0.9 255.255.255.0\n");
  const PlaneClient& second =
      connect_with(at(1001), *client2_, "ifconfig-push 10.77.0.9 255.255.255.0\n");

  EXPECT_TRUE(second.auth_failed);
  EXPECT_TRUE(logged("its address 10.77.0.9 is fixed for client1/192.0.2.1:1000, too")) << log_;
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ServerTermsTest, GivesTheAddressOfASharedNameToItsNewestSession) {
  config_.duplicate_cn = true;
  start();
  const std::string lines =
      "ifconfig-push 10.77.0.9 255.255.255.0\nifconfig-ipv6-push fd77::9/64\n";
  const PlaneClient& first = connect_with(at(1000), *client1_, lines);
  connect_with(at(1001), *client1_, lines);

  // Without a word, or the two would take it from each other for ever.
  EXPECT_FALSE(first.left);
  EXPECT_EQ(routes(), "10.77.0.9/32 1\nfd77::9/128 1\n");
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ServerTermsTest, RefusesWhoIsDisabled) {
  start();
  const PlaneClient& client = connect_with(at(1000), *client1_, "# away\ndisable\n");

  EXPECT_TRUE(client.auth_failed);
  EXPECT_TRUE(logged("refused: ccd/file:2: `disable`")) << log_;
  EXPECT_EQ(routes(), "");
}

TEST_F(ServerTermsTest, RefusesForLinesThatCannotBeHadAndSaysWhich) {
  start();
  const PlaneClient& client =
      connect_with(at(1000), *client1_, "iroute 192.168.4.1 255.255.255.0\nfrobnicate\n");

  EXPECT_TRUE(client.auth_failed);
  EXPECT_TRUE(logged("refused: ccd/file:1: `iroute 192.168.4.1 255.255.255.0` is not an IPv4"))
      << log_;
  EXPECT_TRUE(logged("(and 1 more)")) << log_;

  const PlaneClient& own =
      connect_with(at(1001), *client2_, "ifconfig-push 10.77.0.1 255.255.255.0\n");
  EXPECT_TRUE(own.auth_failed);
  EXPECT_TRUE(logged("`ifconfig-push 10.77.0.1` is the server's own address")) << log_;
}

TEST_F(ServerTermsTest, SaysWhatItPassesOverAndLetsIn) {
  start();
  const PlaneClient& client =
      connect_with(at(1000), *client1_, "comp-lzo no\nifconfig-push 10.99.0.5 255.255.255.0\n");

  EXPECT_TRUE(pushed(client, "ifconfig 10.99.0.5 255.255.255.0"));
  EXPECT_TRUE(logged("client1/192.0.2.1:1000: ccd/file:1: `comp-lzo` has no effect")) << log_;
  EXPECT_TRUE(logged("ccd/file:2: `ifconfig-push 10.99.0.5` is outside")) << log_;
}

TEST_F(ServerTermsTest, NeedsNoPoolForFixedAddresses) {
  config_.tunnel.pool_v4 = false;
  config_.tunnel.pool_v6 = false;
  start();
  const PlaneClient& client =
      connect_with(at(1000), *client1_, "ifconfig-push 10.77.0.5 255.255.255.0\n");
  const PlaneClient& other = connect_with(at(1001), *client2_, "");

  EXPECT_TRUE(pushed(client, "ifconfig 10.77.0.5 255.255.255.0"));
  ASSERT_TRUE(other.push);
  EXPECT_FALSE(find_option(*other.push, "ifconfig"));
}

TEST_F(ServerTermsTest, LetsOneFamilyDoWhereThePoolIsExhausted) {
  config_.tunnel.range_v4 =
      AddressRange{.first = *IpAddress::parse("10.77.0.2"), .last = *IpAddress::parse("10.77.0.2")};
  start();
  connect_with(at(1000), *client1_, "");
  const PlaneClient& second = connect_with(at(1001), *client2_, "ifconfig-ipv6-push fd77::5/64\n");

  EXPECT_TRUE(pushed(second, "ifconfig-ipv6 fd77::5/64 fd77::1"));
  EXPECT_FALSE(find_option(*second.push, "ifconfig"));
}

TEST_F(ServerTermsTest, LimitsTheNetworksBehindOneClient) {
  config_.routes_per_client_max = 2;
  start();
  const std::string three =
      "iroute 10.1.0.0 255.255.0.0\niroute 10.2.0.0 255.255.0.0\niroute "
      "10.3.0.0 255.255.0.0\n";
  connect_with(at(1000), *client1_, three);
  EXPECT_EQ(plane_->clients().front().networks.size(), 2u);
  EXPECT_TRUE(logged("3 networks are behind it, and the first 2 are led to it")) << log_;

  connect_with(at(1001), *client2_, three + "max-routes-per-client 3\n");
  EXPECT_EQ(plane_->clients().back().networks.size(), 3u);
}

TEST_F(ServerTermsTest, SaysWhenTheServerHasNoRoomForMoreRoutes) {
  config_.clients_max = 1;
  config_.routes_per_client_max = 100;
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "iroute 10." + std::to_string(i) + ".0.0 255.255.0.0\n";
  start();
  connect_with(at(1000), *client1_, lines);

  EXPECT_TRUE(logged("the server has 32 routes to clients, and room for no more")) << log_;
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(ServerTermsTest, EndsSessionsByTheClientsOwnTimes) {
  config_.timers.session_timeout = 1000s;
  start();
  const PlaneClient& client = connect_with(at(1000), *client1_, "session-timeout 10\ninactive 5\n");
  EXPECT_EQ(plane_->watched_peers().size(), 1u);
  pass(11s);

  EXPECT_EQ(client.left, "RESTART");
}

TEST_F(ServerTermsTest, EditsWhatIsPushedAndKeepsItForTheNextRequest) {
  start();
  const PlaneClient& client =
      connect_with(at(1000), *client1_, "push-remove ping\npush \"block-ipv6\"\n");

  EXPECT_TRUE(pushed(client, "block-ipv6"));
  EXPECT_FALSE(find_option(*client.push, "ping"));
  EXPECT_FALSE(find_option(*client.push, "ping-restart"));
}

TEST_F(ServerTermsTest, TakesLinesOfAProgramOnTopOfThoseOfTheFile) {
  config_.programs.connect = {.words = {"/bin/true"}, .where = "server.conf:1"};
  start();
  const PlaneClient& client = connect(at(1000), *client1_);
  answer_with("ifconfig-push 10.77.0.5 255.255.255.0\niroute 10.1.0.0 255.255.0.0\n");
  const std::optional<PlaneQuestion> question = plane_->poll_question();
  ASSERT_TRUE(question);
  ASSERT_EQ(question->kind, QuestionKind::Connect);
  EXPECT_EQ(question->facts.lease.v4, IpAddress::parse("10.77.0.5"));
  plane_->handle_answer(question->id,
                        {.accepted = true,
                         .text = "ifconfig-push 10.77.0.6 255.255.255.0\niroute 10.2.0.0 "
                                 "255.255.0.0\n",
                         .where = "client-connect"},
                        now_);
  settle();

  EXPECT_TRUE(pushed(client, "ifconfig 10.77.0.6 255.255.255.0"));
  // The other family stays as the program was told.
  EXPECT_EQ(routes(), "10.1.0.0/16 0\n10.2.0.0/16 0\n10.77.0.6/32 0\nfd77::1003/128 0\n");
}

}  // namespace
}  // namespace ringway::test
