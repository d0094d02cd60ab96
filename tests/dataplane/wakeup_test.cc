#include "dataplane/wakeup.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace ringway {
namespace {

bool rings(const Wakeup& bell, int patience_ms) {
  pollfd waiting{.fd = bell.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, patience_ms) == 1;
}

TEST(Wakeup, WakesAThreadThatWaits) {
  const auto bell = Wakeup::open();
  ASSERT_TRUE(bell);

  std::thread other([&bell] { bell->ring(); });

  EXPECT_TRUE(rings(*bell, 10'000));
  other.join();
}

TEST(Wakeup, IsSilencedOnceForManyRings) {
  const auto bell = Wakeup::open();
  ASSERT_TRUE(bell);
  for (int i = 0; i < 3; ++i) bell->ring();

  bell->silence();

  EXPECT_FALSE(rings(*bell, 0));
  bell->ring();
  EXPECT_TRUE(rings(*bell, 0));
}

TEST(Wakeup, SilencingASilentBellDoesNotBlock) {
  const auto bell = Wakeup::open();
  ASSERT_TRUE(bell);

  bell->silence();

  EXPECT_FALSE(rings(*bell, 0));
}

}  // namespace
}  // namespace ringway
