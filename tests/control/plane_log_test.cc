#include "control/plane_log.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Level = PlaneEvent::Level;

TEST(PlaneLog, EscapesWhatAPeerMayHaveWritten) {
  PlaneLog log;
  log.add(Level::Info, "name\nfake line\x1b[2J", {});

  EXPECT_EQ(log.poll()->text, "name\\x0afake line\\x1b[2J");
}

TEST(PlaneLog, LeavesOutWhatExceedsItsRateAndSaysHowMuch) {
  PlaneLog log;
  const Instant start = Instant{} + 10s;
  for (int i = 0; i < 250; ++i) log.add(Level::Info, "noise", start);

  std::size_t lines = 0;
  while (log.poll()) ++lines;
  EXPECT_EQ(lines, PlaneLog::kLinesPerSecond);

  log.add(Level::Info, "later", start + 1s);
  EXPECT_EQ(log.poll()->text, "150 log lines were left out");
  EXPECT_EQ(log.poll()->text, "later");
}

}  // namespace
}  // namespace ringway
