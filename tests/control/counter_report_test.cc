#include "control/counter_report.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ringway {
namespace {

std::uint64_t& at(std::array<std::uint64_t, kDropCount>& drops, Drop drop) {
  return drops[static_cast<std::size_t>(drop)];
}

TEST(CounterReport, ShowsHandOversEvenWhenThereAreNone) {
  EXPECT_EQ(counter_report({}, {}), "workers: handed_over_packets 0\n");
}

TEST(CounterReport, ListsEveryKindByName) {
  CounterSnapshot workers;
  workers.counters[static_cast<std::size_t>(Counter::LinkReceivedPackets)] = 7;
  workers.counters[static_cast<std::size_t>(Counter::HandedOverPackets)] = 2;
  at(workers.drops, Drop::BadTag) = 3;
  at(workers.drops, Drop::Replay) = 1;
  workers.send_errors[io_error_index(EPERM)] = 4;
  workers.tun_write_errors[io_error_index(EIO)] = 5;
  std::array<std::uint64_t, kDropCount> control_drops{};
  at(control_drops, Drop::BadCookie) = 6;

  EXPECT_EQ(counter_report(workers, control_drops),
            "workers: link_received_packets 7, handed_over_packets 2\n"
            "dropped by workers: bad_tag 3, replay 1\n"
            "dropped by the control channel: bad_cookie 6\n"
            "send errors: eperm 4\n"
            "tun write errors: eio 5\n");
}

}  // namespace
}  // namespace ringway
