#include "dataplane/channel/path_probe.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringway {
namespace {

TEST(PathProbe, RequestsAreAsLargeAsTheyShallBe) {
  for (const std::size_t size : {kMtuRequestSizeMin, std::size_t{100}, std::size_t{1448}}) {
    std::vector<std::uint8_t> request(size, 0xff);
    write_mtu_request(request);

    EXPECT_EQ(classify_payload(request), PayloadKind::MtuRequest);
    EXPECT_EQ(request[16], 4);
    for (std::size_t i = 17; i < size; ++i) ASSERT_EQ(request[i], 0);
  }
}

TEST(PathProbe, RepliesSayWhatWasReceived) {
  const auto reply = make_mtu_reply(1472);

  EXPECT_EQ(classify_payload(reply), PayloadKind::MtuReply);
  EXPECT_EQ(read_mtu_reply(reply), 1472);
}

TEST(PathProbe, ARepliesLengthIsExact_C06) {
  const auto reply = make_mtu_reply(1472);
  std::vector<std::uint8_t> longer(reply.begin(), reply.end());
  longer.push_back(0);

  EXPECT_EQ(classify_payload(longer), PayloadKind::Ignored);
  EXPECT_EQ(classify_payload(Bytes(reply).first(reply.size() - 1)), PayloadKind::Ignored);
}

}  // namespace
}  // namespace ringway
