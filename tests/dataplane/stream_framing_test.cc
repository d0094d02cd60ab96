#include "dataplane/stream_framing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ringway {
namespace {

using Packet = std::vector<std::uint8_t>;

constexpr std::size_t kMax = 300;

Packet datagram_of(std::size_t size, std::uint8_t first) {
  Packet bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

Packet stream_of(const std::vector<Packet>& datagrams) {
  Packet stream;
  for (const Packet& datagram : datagrams) {
    std::array<std::uint8_t, kFrameHeaderSize> header{};
    write_frame_header(header, datagram.size());
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), datagram.begin(), datagram.end());
  }
  return stream;
}

/// A connection as its owner sees it: what is received lies behind room for the rest.
struct Connection {
  StreamRest rest{kMax};
  std::vector<Packet> datagrams;
  std::optional<Drop> failure;

  void receive(Bytes bytes) {
    Packet memory(StreamRest::room(kMax));
    memory.insert(memory.end(), bytes.begin(), bytes.end());
    MutableBytes stream = rest.join(memory);
    for (;;) {
      const auto datagram = take_framed(stream, kMax);
      if (!datagram) {
        failure = datagram.error();
        return;
      }
      if (!*datagram) break;
      datagrams.emplace_back((*datagram)->begin(), (*datagram)->end());
    }
    rest.keep(stream);
  }
};

TEST(StreamFraming, TakesDatagramsWhereTheyLie) {
  Packet bytes = stream_of({datagram_of(5, 1), datagram_of(1, 9)});
  MutableBytes stream = bytes;

  const auto first = take_framed(stream, kMax);
  const auto second = take_framed(stream, kMax);

  ASSERT_TRUE(first.has_value() && first->has_value());
  EXPECT_EQ((*first)->data(), bytes.data() + 2);
  EXPECT_EQ((*first)->size(), 5u);
  ASSERT_TRUE(second.has_value() && second->has_value());
  EXPECT_EQ((*second)->data(), bytes.data() + 9);
  EXPECT_EQ((*second)->size(), 1u);
  EXPECT_TRUE(stream.empty());
}

TEST(StreamFraming, WritesALengthThatDoesNotCountItself) {
  EXPECT_EQ(stream_of({datagram_of(258, 0)}).size(), 260u);
  EXPECT_EQ(stream_of({datagram_of(258, 0)})[0], 1);
  EXPECT_EQ(stream_of({datagram_of(258, 0)})[1], 2);
}

TEST(StreamFraming, MakesTheSameOfAStreamWhereverItIsSplit) {
  const std::vector<Packet> datagrams = {datagram_of(1, 1), datagram_of(kMax, 2), datagram_of(2, 3),
                                         datagram_of(40, 4)};
  const Packet stream = stream_of(datagrams);
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (const std::size_t second : {first, first + 1, (first + stream.size()) / 2}) {
      Connection connection;
      const std::size_t middle = std::clamp(second, first, stream.size());
      connection.receive(Bytes(stream).first(first));
      connection.receive(Bytes(stream).subspan(first, middle - first));
      connection.receive(Bytes(stream).subspan(middle));

      ASSERT_EQ(connection.datagrams, datagrams) << first << " " << middle;
      ASSERT_EQ(connection.rest.size(), 0u);
      ASSERT_FALSE(connection.failure);
    }
  }
}

TEST(StreamFraming, MakesTheSameOfAStreamThatComesByteByByte) {
  const std::vector<Packet> datagrams = {datagram_of(kMax, 2), datagram_of(1, 1),
                                         datagram_of(kMax - 1, 3)};
  Connection connection;
  for (const std::uint8_t byte : stream_of(datagrams)) {
    connection.receive(Bytes(&byte, 1));
    ASSERT_LE(connection.rest.size(), StreamRest::room(kMax));
  }
  EXPECT_EQ(connection.datagrams, datagrams);
}

TEST(StreamFraming, RefusesALengthOfZeroAndOneBeyondTheLargest) {
  struct Row {
    std::uint16_t length;
    std::optional<Drop> failure;
  };
  for (const Row& row : {Row{0, Drop::Truncated}, Row{1, std::nullopt}, Row{kMax, std::nullopt},
                         Row{kMax + 1, Drop::Oversize}, Row{0xffff, Drop::Oversize}}) {
    Packet bytes(kFrameHeaderSize);
    store_be16(bytes.data(), row.length);
    MutableBytes stream = bytes;

    // Known as soon as the length is there, without waiting for what it promises.
    const auto datagram = take_framed(stream, kMax);

    ASSERT_EQ(datagram.has_value(), !row.failure) << row.length;
    if (row.failure) {
      EXPECT_EQ(datagram.error(), *row.failure);
    }
    EXPECT_EQ(stream.size(), kFrameHeaderSize);
  }
}

TEST(StreamFraming, DeliversWhatStandsBeforeABadLength) {
  Connection connection;
  Packet stream = stream_of({datagram_of(7, 1)});
  stream.insert(stream.end(), {0, 0, 1, 2});
  connection.receive(stream);
  EXPECT_EQ(connection.datagrams, std::vector<Packet>{datagram_of(7, 1)});
  EXPECT_EQ(connection.failure, Drop::Truncated);
}

TEST(StreamFraming, KeepsNothingThatWasJoined) {
  StreamRest rest(kMax);
  rest.keep(datagram_of(3, 7));
  Packet memory(StreamRest::room(kMax) + 2);

  const MutableBytes joined = rest.join(memory);

  ASSERT_EQ(joined.size(), 5u);
  EXPECT_EQ(joined.data() + 5, memory.data() + memory.size());
  EXPECT_EQ(joined[0], 7);
  EXPECT_EQ(joined[2], 9);
  EXPECT_EQ(rest.size(), 0u);
}

}  // namespace
}  // namespace ringway
