#include "dataplane/outbox.h"

#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

namespace ringway {
namespace {

using test::kStart;
using test::Packet;
using test::packet_between;
using To = TooBigAnswers::Occasion::To;

/// What its sender allows to be cut.
Packet cuttable(std::size_t payload_size) {
  Packet packet = packet_between("10.8.0.2", "192.0.2.7", payload_size);
  store_be16(packet.data() + 6, 0);
  store_be16(packet.data() + 10, 0);
  store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(kIpv4HeaderMin)));
  return packet;
}

class OutboxTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return counters_.snapshot().of(counter);
  }

  BufferPool pool_{8, 2048};
  Counters counters_;
  Outbox outbox_{{.own_v4 = test::address("10.8.0.1")}, pool_, counters_};
};

TEST_F(OutboxTest, KeepsAnAnswerUntilItIsTaken) {
  Packet packet = packet_between("10.8.0.2", "192.0.2.7", 1472);
  const auto segmenter = Segmenter::start({}, *parse_ip_packet(packet));

  outbox_.answer(*segmenter, packet,
                 {.peer = {1}, .path_limit = 1400, .to = To::Peer, .now = kStart});

  ASSERT_FALSE(outbox_.is_empty());
  const Outbox::Item item = outbox_.take();
  EXPECT_TRUE(outbox_.is_empty());
  EXPECT_EQ(item.to, To::Peer);
  EXPECT_EQ(item.packet.data(), item.buffer.bytes().data() + Outbox::kHeadroom);
  EXPECT_EQ(parse_ip_packet(item.packet)->destination(), test::address("10.8.0.2"));
  EXPECT_EQ(count(Counter::TooBigAnswers), 1u);
}

TEST_F(OutboxTest, CutsAPacketForTheTun) {
  const Packet packet = cuttable(1972);

  EXPECT_TRUE(outbox_.fragment(*parse_ip_packet(packet), 1500));

  std::size_t payload = 0;
  std::size_t fragments = 0;
  while (!outbox_.is_empty()) {
    const Outbox::Item item = outbox_.take();
    EXPECT_EQ(item.to, To::Tun);
    EXPECT_LE(item.packet.size(), 1500u);
    payload += parse_ip_packet(item.packet)->payload().size();
    ++fragments;
  }
  EXPECT_EQ(fragments, 2u);
  EXPECT_EQ(payload, packet.size() - kIpv4HeaderMin);
  EXPECT_EQ(count(Counter::InnerFragmentedPackets), 1u);
  EXPECT_EQ(count(Counter::InnerFragments), 2u);
}

TEST_F(OutboxTest, RefusesToCutWhatItsSenderForbids) {
  const Packet packet = packet_between("10.8.0.2", "192.0.2.7", 1972);

  EXPECT_FALSE(outbox_.fragment(*parse_ip_packet(packet), 1500));
  EXPECT_TRUE(outbox_.is_empty());
}

// Security goal C08.
TEST_F(OutboxTest, IsBoundedByItsBuffersAndCountsWhatHasNoPlace) {
  const Packet misfit = packet_between("10.8.0.2", "192.0.2.7", 1472);
  for (int i = 0; i < 20; ++i) {
    outbox_.answer(*parse_ip_packet(misfit), {.peer = {1}, .path_limit = 1400, .now = kStart});
  }
  EXPECT_EQ(count(Counter::TooBigAnswers), 8u);
  EXPECT_EQ(count(Counter::TooBigUnanswered), 12u);

  EXPECT_TRUE(outbox_.fragment(*parse_ip_packet(cuttable(1972)), 1500));
  EXPECT_EQ(counters_.snapshot().of(Drop::NoBuffer), 1u);

  std::size_t taken = 0;
  for (; !outbox_.is_empty(); ++taken) static_cast<void>(outbox_.take());
  EXPECT_EQ(taken, 8u);
  EXPECT_EQ(pool_.free_count(), pool_.count());
}

}  // namespace
}  // namespace ringway
