#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"
#include "tests/sim/old_client.h"
#include "tests/sim/world.h"

namespace ringway::sim {
namespace {

/// A bad wire: loss each way, a tenth reordered, some repeated, some damaged.
NetworkSettings bad_network(double loss) {
  return {.latency_min = 20ms,
          .latency_max = 50ms,
          .control_loss = loss,
          .data_loss = loss,
          .duplication = 0.02,
          .reorder = 0.10,
          .corruption = 0.01};
}

TEST(HandshakeSim, ConnectsInEveryMode) {
  for (const WrapMode wrap : {WrapMode::None, WrapMode::TlsAuth, WrapMode::TlsCrypt}) {
    for (const DataCipher cipher :
         {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm, DataCipher::ChaCha20Poly1305}) {
      World world({.wrap = wrap, .cipher = cipher});

      ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
      world.set_traffic_interval(100ms);
      world.run_for(5s);

      EXPECT_EQ(world.ledger().missing(world.now().instant - 1s), 0u) << world.trace();
      EXPECT_GT(world.ledger().delivered(), 90u);
      EXPECT_EQ(world.server().plane().half_open_count(), 0u);
    }
  }
}

TEST(HandshakeSim, LetsInACrowd) {
  for (const std::uint64_t seed : seeds(2)) {
    World world({.seed = seed, .clients = 40, .workers = 4, .network = bad_network(0.05)});

    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 60s)) << world.trace();

    std::set<std::uint32_t> peers;
    std::set<IpAddress> addresses;
    for (std::size_t i = 0; i < world.client_count(); ++i) {
      peers.insert(world.client(i).core().peer_id().value);
      addresses.insert(world.client(i).inner_address().value_or(IpAddress()));
    }
    EXPECT_EQ(peers.size(), world.client_count());
    EXPECT_EQ(addresses.size(), world.client_count());
    EXPECT_EQ(world.server().plane().half_open_count(), 0u);
  }
}

TEST(HandshakeSim, DoesNotStallAnOldClientWhoseOneAckIsLost) {  // A05
  for (const WrapMode wrap : {WrapMode::None, WrapMode::TlsAuth, WrapMode::TlsCrypt}) {
    World world({.wrap = wrap});
    OldClient old_client(world, OldClient::OneAck::IsLost);
    world.network().set_meddler(std::ref(old_client));

    EXPECT_TRUE(world.run_until([&] { return world.all_connected(); }, 10s)) << world.trace();
    EXPECT_GE(old_client.hellos(), 2);
  }
}

TEST(HandshakeSim, KeepsNothingOfAClientThatOnlySendsResets) {  // A01
  World world({.clients = 20, .hand_window = 10s});
  world.network().set_meddler([&](Datagram datagram) {
    const bool to_client = datagram.to != world.server_endpoint();
    return to_client ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
  });

  world.run_for(5s);

  EXPECT_EQ(world.server().plane().half_open_count(), 0u) << world.trace();
}

TEST(HandshakeSim, ForgetsAClientThatStopsHalfWay) {
  World world({.hand_window = 10s});
  int from_client = 0;
  world.network().set_meddler([&](Datagram datagram) {
    const bool is_lost = datagram.to == world.server_endpoint() && ++from_client > 2;
    return is_lost ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
  });

  ASSERT_TRUE(world.run_until([&] { return world.server().plane().half_open_count() == 1; }, 1s));
  world.run_for(15s);

  EXPECT_EQ(world.server().plane().half_open_count(), 0u) << world.trace();
  EXPECT_TRUE(world.client(0).disconnected().has_value());
}

TEST(HandshakeSim, ShrugsOffNoiseOfEveryKind) {  // A16
  World world({.seed = 3});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  world.set_traffic_interval(50ms);
  test::SeededRandom dice(5);

  for (int i = 0; i < 5000; ++i) {
    std::vector<std::uint8_t> noise(1 + random_below(dice, 200));
    dice.fill(noise);
    noise[0] = static_cast<std::uint8_t>(i);
    const Endpoint stranger{IpAddress::v4(0xc6336450u), static_cast<std::uint16_t>(i), 0};
    const Endpoint from = i % 2 == 0 ? stranger : world.client(0).endpoint();
    world.network().send(from, world.server_endpoint(), noise, world.now().instant);
    world.run_for(1ms);
  }
  world.run_for(1s);

  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();
  EXPECT_EQ(world.ledger().missing(world.now().instant - 1s), 0u);
  EXPECT_EQ(world.server().plane().half_open_count(), 0u);
}

TEST(HandshakeSim, LeavesALiveSessionAloneWhenResetsAreSpoofedAtIt) {  // A15
  World world({});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  world.set_traffic_interval(50ms);
  int resets_back = 0;
  world.network().set_meddler([&](Datagram datagram) {
    resets_back += opcode_of(datagram.bytes.front()) == Opcode::HardResetServerV2 ? 1 : 0;
    return std::vector{std::move(datagram)};
  });

  for (std::uint8_t i = 1; i <= 100; ++i) {
    std::array<std::uint8_t, 64> plain;
    ByteWriter writer(plain);
    encode_control_packet({.opcode = Opcode::HardResetClientV2, .sender = {{i, i, i}}}, writer);
    std::array<std::uint8_t, 256> out;
    const Bytes reset = world.client_wrap().wrap(writer.written(), {1, 1'750'000'000}, out);
    world.server().handle_datagram(MutableBytes(out).first(reset.size()),
                                   World::link_from(world.client(0).endpoint()), world.now());
    world.run_for(100ms);
  }

  EXPECT_LE(resets_back, 11);  // At most one a second.
  world.set_traffic_interval(Duration{0});
  world.run_for(1s);
  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();
  EXPECT_EQ(world.ledger().missing(world.now().instant), 0u) << world.trace();
}

TEST(HandshakeSim, LetsAClientInAgainThatDiedAndCameBackOnItsPort) {  // A14
  World world({});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  world.set_traffic_interval(50ms);
  world.run_for(5s);

  for (int deaths = 0; deaths < 5; ++deaths) {
    world.restart(0);
    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 5s)) << world.trace();
    const Instant back = world.now().instant;
    world.run_for(5s);

    EXPECT_EQ(world.ledger().missing_between(back, world.now().instant - 1s), 0u) << world.trace();
    EXPECT_EQ(world.server().plane().clients().size(), 1u) << world.trace();
  }
}

TEST(HandshakeSim, InstallsKeysBeforeTheClientCanUseThem) {
  World world({.clients = 10});
  world.set_traffic_interval(1ms);

  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  world.run_for(1s);

  EXPECT_EQ(world.server().drops(Drop::UnknownPeer), 0u) << world.trace();
  EXPECT_EQ(world.server().drops(Drop::UnknownKey), 0u);
  EXPECT_EQ(world.ledger().missing(world.now().instant - 100ms), 0u);
}

TEST(HandshakeSim, WouldLosePacketsIfKeysCameAfterTheMessageThatAllowsTheirUse) {
  World world({.clients = 10, .command_delay = 200ms});
  world.set_traffic_interval(1ms);

  // The first resets find no key for cookies yet; clients ask again after two seconds.
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 5s)) << world.trace();
  world.run_for(1s);

  EXPECT_GT(world.server().drops(Drop::UnknownPeer), 0u);
}

TEST(HandshakeSim, ReplaysFromItsSeed) {
  const auto record = [](std::uint64_t seed) {
    World world({.seed = seed, .clients = 3, .network = bad_network(0.10)});
    std::vector<Datagram> wire;
    world.network().set_meddler([&](Datagram datagram) {
      wire.push_back(datagram);
      return std::vector{std::move(datagram)};
    });
    world.set_traffic_interval(100ms);
    world.run_for(20s);
    return wire;
  };
  const auto first = record(7);
  const auto again = record(7);
  const auto other = record(8);

  EXPECT_TRUE(std::ranges::equal(first, again, {}, &Datagram::bytes, &Datagram::bytes));
  EXPECT_FALSE(std::ranges::equal(first, other, {}, &Datagram::bytes, &Datagram::bytes));
}

}  // namespace
}  // namespace ringway::sim
