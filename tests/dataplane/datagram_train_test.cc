#include "dataplane/datagram_train.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringway {
namespace {

std::vector<std::size_t> sizes_of(std::size_t payload_size, std::size_t segment_size) {
  std::vector<std::uint8_t> payload(payload_size);
  DatagramTrain train(payload, segment_size);
  const std::size_t count = train.count_left();
  std::vector<std::size_t> sizes;
  const std::uint8_t* expected = payload.data();
  while (train.count_left() > 0) {
    const MutableBytes datagram = train.take();
    EXPECT_EQ(datagram.data(), expected) << "every byte is in one datagram, in order";
    expected += datagram.size();
    sizes.push_back(datagram.size());
  }
  EXPECT_EQ(expected, payload.data() + payload.size());
  EXPECT_EQ(sizes.size(), count);
  return sizes;
}

using Sizes = std::vector<std::size_t>;

TEST(DatagramTrain, IsCutIntoEqualDatagramsAndASmallerLastOne) {
  EXPECT_EQ(sizes_of(3000, 1000), Sizes({1000, 1000, 1000}));
  EXPECT_EQ(sizes_of(2001, 1000), Sizes({1000, 1000, 1}));
  EXPECT_EQ(sizes_of(3, 1), Sizes({1, 1, 1}));
}

TEST(DatagramTrain, IsOneDatagramWhereTheKernelSaysNoSizeOrOneTooLarge_E06) {
  EXPECT_EQ(sizes_of(1000, 0), Sizes({1000}));
  EXPECT_EQ(sizes_of(1000, 1000), Sizes({1000}));
  EXPECT_EQ(sizes_of(1000, 1001), Sizes({1000}));
  EXPECT_EQ(sizes_of(1000, SIZE_MAX), Sizes({1000}));
}

TEST(DatagramTrain, MayBeOneEmptyDatagram) {
  EXPECT_EQ(sizes_of(0, 0), Sizes({0}));
  EXPECT_EQ(sizes_of(0, 1000), Sizes({0}));
}

TEST(DatagramTrain, IsCutWithoutRestForEverySize_E06) {
  for (std::size_t payload = 1; payload < 70; ++payload) {
    for (std::size_t segment = 1; segment < 75; ++segment) {
      const Sizes sizes = sizes_of(payload, segment);
      ASSERT_EQ(sizes.size(), (payload + segment - 1) / segment);
    }
  }
}

}  // namespace
}  // namespace ringway
