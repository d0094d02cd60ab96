#include "control/client_push.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ringway {
namespace {

constexpr DataCipher kOffered[] = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm};

std::expected<ClientPush, std::string> read(std::vector<std::string> options) {
  return ClientPush::read({.options = std::move(options)}, kOffered, {});
}

std::vector<std::string> with(std::vector<std::string> more) {
  more.emplace_back("cipher AES-256-GCM");
  return more;
}

TEST(ClientPush, ReadsWhatOpenVpn26Pushes) {
  const auto push = read({"tun-ipv6", "route-gateway 10.77.0.1", "topology subnet", "ping 10",
                          "ping-restart 60", "ifconfig 10.77.0.2 255.255.255.0", "peer-id 0",
                          "cipher AES-256-GCM", "protocol-flags cc-exit tls-ekm", "tun-mtu 1500"});

  ASSERT_TRUE(push) << push.error();
  EXPECT_EQ(push->admission.cipher, DataCipher::Aes256Gcm);
  EXPECT_TRUE(push->admission.tls_key_export);
  EXPECT_EQ(push->peer_id, PeerId{0});
  EXPECT_TRUE(push->session.data_v2);
  EXPECT_EQ(push->session.ping_interval, 10s);
  EXPECT_EQ(push->session.ping_restart, 60s);
  EXPECT_TRUE(push->exit_on_control_channel);
}

TEST(ClientPush, CopiesEcnForAServerThatSaysSoAndDscpForAProfileThatDoes) {
  EXPECT_EQ(read(with({}))->session.outer_class_mask, 0);
  EXPECT_EQ(read(with({"ecn"}))->session.outer_class_mask, 0x03);
  const auto both = ClientPush::read({.options = with({"ecn"})}, kOffered, {.copies_dscp = true});
  EXPECT_EQ(both->session.outer_class_mask, 0xff);
}

TEST(ClientPush, FallsBackToWhatOldServersMean) {
  const auto push = read(with({}));

  ASSERT_TRUE(push);
  EXPECT_FALSE(push->admission.tls_key_export);
  EXPECT_FALSE(push->peer_id.is_set());
  EXPECT_FALSE(push->session.data_v2);
  EXPECT_EQ(push->session.ping_interval, 0s);
  EXPECT_EQ(push->session.ping_restart, ClientPush::kPingRestartDefault);
  EXPECT_FALSE(push->exit_on_control_channel);
  EXPECT_EQ(push->exit_notify_count, 1u);
}

TEST(ClientPush, TakesTheExporterFromEitherOption) {
  EXPECT_TRUE(read(with({"key-derivation tls-ekm"}))->admission.tls_key_export);
  EXPECT_TRUE(read(with({"protocol-flags tls-ekm"}))->admission.tls_key_export);
  EXPECT_FALSE(read(with({"protocol-flags not-tls-ekm"}))->admission.tls_key_export);
}

TEST(ClientPush, ProtectsRenegotiationsByTheirOwnKeyWhereTheServerSaysSo) {
  EXPECT_TRUE(read(with({"protocol-flags tls-ekm dyn-tls-crypt"}))->admission.dynamic_tls_crypt);
  EXPECT_FALSE(read(with({"protocol-flags tls-ekm"}))->admission.dynamic_tls_crypt);
}

TEST(ClientPush, TakesNoPeerIdThatDoesNotFit) {
  EXPECT_EQ(read(with({"peer-id 16777214"}))->peer_id, PeerId{16777214});
  for (const char* option :
       {"peer-id 16777215", "peer-id -1", "peer-id 4294967296", "peer-id x", "peer-id"}) {
    EXPECT_FALSE(read(with({option}))->peer_id.is_set()) << option;
  }
}

TEST(ClientPush, BoundsTheTimesThatAServerAsksFor) {
  EXPECT_EQ(read(with({"ping 4000000000"}))->session.ping_interval, 43200s);
  EXPECT_EQ(read(with({"ping-exit 30"}))->session.ping_restart, 30s);
  EXPECT_EQ(read(with({"ping-restart 0"}))->session.ping_restart, 0s);
  EXPECT_EQ(read(with({"explicit-exit-notify 99"}))->exit_notify_count, 5u);
  EXPECT_EQ(read(with({"explicit-exit-notify 0"}))->exit_notify_count, 1u);
}

TEST(ClientPush, TakesTheLastWordOnSilence) {
  EXPECT_TRUE(read(with({"ping-exit 30"}))->ping_exits);
  EXPECT_TRUE(read(with({"ping-restart 60", "ping-exit 30"}))->ping_exits);
  const auto restarts = read(with({"ping-exit 30", "ping-restart 60"}));
  EXPECT_FALSE(restarts->ping_exits);
  EXPECT_EQ(restarts->session.ping_restart, 60s);
}

TEST(ClientPush, ReadsWhenTheClientEndsByItself) {
  const auto push = read(with({"inactive 60 5000", "session-timeout 7200"}));
  EXPECT_EQ(push->lifetime.inactive, 60s);
  EXPECT_EQ(push->lifetime.inactive_bytes, 5000u);
  EXPECT_EQ(push->lifetime.session, 7200s);
  EXPECT_EQ(read(with({"inactive 60"}))->lifetime.inactive_bytes, 0u);
  EXPECT_EQ(read(with({"inactive x"}))->lifetime.inactive, 0s);
}

TEST(ClientPush, RefusesWhatWasNotOffered) {
  EXPECT_FALSE(read({"ping 10"}));
  EXPECT_FALSE(read({"cipher BF-CBC"}));
  EXPECT_FALSE(read({"cipher CHACHA20-POLY1305"}));
  EXPECT_FALSE(read(with({"protocol-flags cc-exit aead-epoch"})));
}

TEST(ClientPush, TakesTheEpochFormatWhereItWasOffered) {
  const ClientPush::Defaults offered{.offers_epochs = true};
  const PushReply reply{.options =
                            with({"peer-id 3", "protocol-flags cc-exit tls-ekm aead-epoch"})};
  const PushReply without_peer_id{.options = with({"protocol-flags cc-exit tls-ekm aead-epoch"})};

  const auto push = ClientPush::read(reply, kOffered, offered);

  ASSERT_TRUE(push) << push.error();
  EXPECT_TRUE(push->admission.data_epochs);
  EXPECT_TRUE(push->session.in_epochs);
  EXPECT_FALSE(ClientPush::read(without_peer_id, kOffered, offered));
  EXPECT_FALSE(
      ClientPush::read({.options = with({"peer-id 3"})}, kOffered, offered)->session.in_epochs);
}

TEST(ClientPush, KeepsWhatTheProfileSaysWhereNothingIsPushed) {
  const ClientPush::Defaults profile{
      .ping_interval = 7s, .ping_restart = 70s, .exit_notify_count = 3};
  const auto silent = ClientPush::read({.options = {"cipher AES-256-GCM"}}, kOffered, profile);
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->session.ping_interval, 7s);
  EXPECT_EQ(silent->session.ping_restart, 70s);
  EXPECT_EQ(silent->exit_notify_count, 3u);

  const auto pushed = ClientPush::read(
      {.options = {"cipher AES-256-GCM", "ping 10", "ping-restart 60", "explicit-exit-notify 1"}},
      kOffered, profile);
  ASSERT_TRUE(pushed);
  EXPECT_EQ(pushed->session.ping_interval, 10s);
  EXPECT_EQ(pushed->session.ping_restart, 60s);
  EXPECT_EQ(pushed->exit_notify_count, 1u);
}

TEST(ClientPush, KnowsTheEndsOfTheTunnelWhereBothAreSaid) {
  const std::string ours_v6 = "ifconfig-ipv6 fd00:8::1000/64 fd00:8::1";
  const auto both = read(
      with({"ifconfig 10.8.0.2 255.255.255.0", "route-gateway 10.8.0.1", ours_v6, "tun-mtu 1400"}));
  ASSERT_TRUE(both);
  EXPECT_EQ(both->session.ends.ours.to_string(), "10.8.0.2");
  EXPECT_EQ(both->session.ends.theirs.to_string(), "10.8.0.1");
  EXPECT_EQ(both->session.tun_mtu, 1400);

  const auto only_v6 = read(with({"ifconfig 10.8.0.2 255.255.255.0", ours_v6}));
  ASSERT_TRUE(only_v6);
  EXPECT_EQ(only_v6->session.ends.ours.to_string(), "fd00:8::1000");
  EXPECT_EQ(only_v6->session.ends.theirs.to_string(), "fd00:8::1");

  for (const char* strange : {"ifconfig-ipv6 fd00:8::1000/64", "ifconfig-ipv6", "route-gateway",
                              "route-gateway 10.8.0.1", "ifconfig-ipv6 fd00::2/64 10.8.0.1"}) {
    const auto push = read(with({strange}));
    ASSERT_TRUE(push) << strange;
    EXPECT_FALSE(push->session.ends.are_known()) << strange;
    EXPECT_EQ(push->session.tun_mtu, 1500);
  }
}

}  // namespace
}  // namespace ringway
