#include "control/plane_log.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Level = PlaneEvent::Level;

TEST(PlaneLog, EscapesWhatAPeerMayHaveWritten) {
  PlaneLog log(/*with_debug=*/true);
  log.add(Level::Info, "name\nfake line\x1b[2J", {});

  EXPECT_EQ(log.poll()->text, "name\\x0afake line\\x1b[2J");
}

TEST(PlaneLog, LeavesOutWhatExceedsItsRateAndSaysHowMuch) {
  PlaneLog log(/*with_debug=*/true);
  const Instant start = Instant{} + 10s;
  for (int i = 0; i < 250; ++i) log.add(Level::Info, "noise", start);

  std::size_t lines = 0;
  while (log.poll()) ++lines;
  EXPECT_EQ(lines, PlaneLog::kLinesPerSecond);

  log.add(Level::Info, "later", start + 1s);
  EXPECT_EQ(log.poll()->text, "150 log lines were left out");
  EXPECT_EQ(log.poll()->text, "later");
}

// Security goal R22: what nobody reads must not keep out what somebody should.
TEST(PlaneLog, DoesNotCountLinesThatAreNotWritten) {
  PlaneLog log(/*with_debug=*/false);
  for (int i = 0; i < 500; ++i) log.add(Level::Debug, "noise", Instant{} + 10s);
  log.add(Level::Warning, "revoked", Instant{} + 10s);

  EXPECT_EQ(log.poll()->text, "revoked");
  EXPECT_FALSE(log.poll());
}

}  // namespace
}  // namespace ringway
