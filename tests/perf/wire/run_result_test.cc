#include "perf/src/wire/run_result.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ringway::wire {
namespace {

TEST(RunResult, IsOneLineOfJson) {
  RunResult result;
  result.tally = {.sent = 10, .received = 7, .reordered = 1, .duplicated = 2, .strange = 3};
  result.drops = {.outer_queue = 4, .inner_queue = 5, .server_tun = 6, .server_socket = 8};
  result.wall = 2s;
  result.latency.add(1ms);

  const std::string text = result.to_json();
  const auto json = nlohmann::json::parse(text, nullptr, false);

  ASSERT_FALSE(json.is_discarded()) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(json["lost"], 3);
  EXPECT_EQ(json["drops"]["server_socket"], 8);
  EXPECT_EQ(json["wall_ns"], 2'000'000'000);
  EXPECT_EQ(json["latency_ns"]["max"], 1'000'000);
}

}  // namespace
}  // namespace ringway::wire
