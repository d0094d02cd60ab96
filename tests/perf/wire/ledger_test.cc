#include "perf/src/wire/ledger.h"

#include <gtest/gtest.h>

namespace ringway::wire {
namespace {

/// Two clients, three packets each, in turn.
struct Sent {
  Ledger ledger{2, 6};
  std::vector<Stamp> stamps;

  Sent() {
    ledger.open_block();
    for (std::uint32_t i = 0; i < 6; ++i) stamps.push_back(ledger.prepare(i % 2));
    ledger.note_sent(6);
  }
};

TEST(Ledger, NumbersThePacketsOfAClientAndOfAll) {
  const Sent sent;

  EXPECT_EQ(sent.stamps[3], (Stamp{.client = 1, .sequence = 1, .index = 3, .block = 7}));
  EXPECT_EQ(sent.ledger.stamp_count(), 6u);
}

TEST(Ledger, FindsNothingWrongWhenAllCame) {
  Sent sent;
  for (const Stamp& stamp : sent.stamps) EXPECT_EQ(sent.ledger.receive(stamp, 1), 1u);

  EXPECT_EQ(sent.ledger.tally().received, 6u);
  EXPECT_EQ(sent.ledger.tally().lost(), 0u);
  EXPECT_EQ(sent.ledger.tally().reordered, 0u);
}

TEST(Ledger, CountsEachPacketOfASuperPacket) {
  Sent sent;

  EXPECT_EQ(sent.ledger.receive(sent.stamps[0], 3), 3u);
  EXPECT_EQ(sent.ledger.tally().lost(), 3u);
}

TEST(Ledger, CountsWhatComesBehindALaterPacketOfItsClientOnly) {
  Sent sent;
  sent.ledger.receive(sent.stamps[1], 3);  // All of client 1.
  sent.ledger.receive(sent.stamps[2], 1);
  sent.ledger.receive(sent.stamps[0], 1);

  EXPECT_EQ(sent.ledger.tally().reordered, 1u);
}

TEST(Ledger, CountsAPacketOnceHoweverOftenItComes) {
  Sent sent;
  sent.ledger.receive(sent.stamps[0], 1);

  EXPECT_EQ(sent.ledger.receive(sent.stamps[0], 1), 0u);
  EXPECT_EQ(sent.ledger.tally().received, 1u);
  EXPECT_EQ(sent.ledger.tally().duplicated, 1u);
}

TEST(Ledger, DoesNotKnowWhatWasNeverSent) {
  Sent sent;

  EXPECT_EQ(sent.ledger.receive({.client = 2, .block = 7}, 1), 0u);
  EXPECT_EQ(sent.ledger.receive({.client = 0, .sequence = 3, .block = 7}, 1), 0u);
  EXPECT_EQ(sent.ledger.receive({.client = 0, .block = 6}, 1), 0u);
  EXPECT_EQ(sent.ledger.tally().strange, 3u);
}

TEST(Ledger, DoesNotTakeALatecomerForThePacketOfThisBlock) {
  Sent sent;
  sent.ledger.open_block();
  (void)sent.ledger.prepare(0);

  EXPECT_EQ(sent.ledger.receive(sent.stamps[0], 1), 0u);
  EXPECT_EQ(sent.ledger.tally().lost(), 6u);
  EXPECT_EQ(sent.ledger.tally().strange, 1u);
}

TEST(PacketIdLedger, StartsAtWhateverComesFirst) {
  PacketIdLedger ids(1);
  ids.receive(0, 1000, 40);
  ids.receive(0, 1040, 1);

  EXPECT_EQ(ids.reordered(), 0u);
  EXPECT_EQ(ids.passed_over(), 0u);
}

TEST(PacketIdLedger, SeesGapsAndWhatCameLate) {
  PacketIdLedger ids(2);
  ids.receive(0, 1, 1);
  ids.receive(1, 1, 1);
  ids.receive(0, 4, 2);
  ids.receive(0, 2, 2);

  EXPECT_EQ(ids.passed_over(), 2u);
  EXPECT_EQ(ids.reordered(), 2u);
}

}  // namespace
}  // namespace ringway::wire
