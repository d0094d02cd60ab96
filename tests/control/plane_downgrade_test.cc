#include <gtest/gtest.h>

#include "control/channel/key_negotiation.h"
#include "control/control_plane.h"
#include "tests/control/plane_fixture.h"

/// A client that offers less in a renegotiation than it did at first (B04).
namespace ringway::test {
namespace {

/// The offers of 2.6 without dynamic tls-crypt, so that a renegotiation can be spoken by hand; and
/// without keys by TLS export, as 2.5 says it.
constexpr std::string_view kWithExport = "478";
constexpr std::string_view kWithoutExport = "470";

class PlaneDowngradeTest : public PlaneTest {
 protected:
  static ChannelSettings offering(std::string_view protocol) {
    ChannelSettings settings = client_settings();
    settings.peer_info.set("IV_PROTO", std::string(protocol));
    return settings;
  }

  /// A renegotiation in the name of `client`, which says `settings` of itself.
  void renegotiate_by_hand(PlaneClient& client, const ChannelSettings& settings) {
    KeyNegotiation negotiation({.settings = settings,
                                .tls = *client1_,
                                .random = random_,
                                .options = settings.options,
                                .payload_size_max = 1100,
                                .key_id = KeyId{1},
                                .reset = Opcode::SoftResetV1},
                               now_);
    client.hears_instead = [&](Bytes datagram) {
      const auto packet = decode_control_packet(datagram);
      if (packet && packet->key_id == KeyId{1}) {
        static_cast<void>(negotiation.handle_packet(*packet, now_));
      }
    };
    for (int round = 0; round < 20; ++round) {
      ControlPacket packet;
      while (negotiation.poll_transmit(packet, now_.instant)) {
        packet.sender = client.channel.local_session();
        packet.receiver = client.channel.remote_session();
        std::vector<std::uint8_t> buffer(ControlChannel::kDatagramSizeMax);
        ByteWriter writer(buffer);
        encode_control_packet(packet, writer);
        to_server(writer.written(), client.endpoint);
      }
      from_plane();
    }
    client.hears_instead = nullptr;
  }
};

TEST_F(PlaneDowngradeTest, TakesARenegotiationThatOffersTheSame) {
  start();
  PlaneClient& client = connect(at(1000), *client1_, offering(kWithExport));
  pass(6s);
  renegotiate_by_hand(client, offering(kWithExport));

  ASSERT_EQ(plane_->clients().size(), 1u) << log_;
  EXPECT_EQ(commands<InstallKeys>().back()->keys.key_id, KeyId{1});
}

// B04
TEST_F(PlaneDowngradeTest, RefusesARenegotiationThatOffersNoExport) {
  start();
  PlaneClient& client = connect(at(1000), *client1_, offering(kWithExport));
  pass(6s);
  renegotiate_by_hand(client, offering(kWithoutExport));

  EXPECT_TRUE(plane_->clients().empty());
  EXPECT_EQ(commands<InstallKeys>().back()->keys.key_id, KeyId{0});
  EXPECT_NE(log_.find("offers no keys by TLS export"), std::string::npos) << log_;
}

TEST_F(PlaneDowngradeTest, ServesWhoNeverOfferedMore) {
  start();
  PlaneClient& client = connect(at(1000), *client1_, offering(kWithoutExport));
  ASSERT_EQ(plane_->clients().size(), 1u) << log_;
  EXPECT_FALSE(find_option(*client.push, "key-derivation"));
  pass(6s);
  renegotiate_by_hand(client, offering(kWithoutExport));

  EXPECT_EQ(commands<InstallKeys>().back()->keys.key_id, KeyId{1});
}

}  // namespace
}  // namespace ringway::test
