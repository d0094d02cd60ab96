#include "control/process_limits.h"

#include <gtest/gtest.h>

/// D08: limits of the process that are too low are named before anything meets them.
namespace ringway {
namespace {

ServerConfig with_listeners(std::size_t udp, std::size_t tcp) {
  ServerConfig config;
  config.listen.clear();
  for (std::size_t i = 0; i < udp + tcp; ++i) {
    ListenConfig& listen = config.listen.emplace_back();
    listen.is_tcp = i >= udp;
  }
  return config;
}

WorkerPlan workers(std::uint16_t count) {
  WorkerPlan plan;
  plan.count = count;
  plan.offloads = {.link_gso = true, .link_gro = true, .tun = {.checksum = true, .tcp = true}};
  return plan;
}

TEST(ProcessLimits, AreEnoughWhereThereAreNone) {
  EXPECT_TRUE(check_limits(with_listeners(1, 0), workers(64), {}));
}

// D08
TEST(ProcessLimits, AllowEachWorkerItsFiles) {
  const ServerConfig config = with_listeners(2, 1);
  const std::uint64_t needed = files_needed(config, workers(16));
  EXPECT_EQ(needed - files_needed(config, workers(15)), 6u);
  EXPECT_TRUE(check_limits(config, workers(16), {.files = needed}));

  const auto refused = check_limits(config, workers(16), {.files = needed - 1});

  ASSERT_FALSE(refused);
  const std::string text = refused.error().to_string();
  EXPECT_NE(text.find("16 workers with 3 listeners"), std::string::npos) << text;
  EXPECT_NE(text.find("LimitNOFILE="), std::string::npos) << text;
}

// D08
TEST(ProcessLimits, AllowTheWorkersTheirMemory) {
  const ServerConfig config = with_listeners(1, 0);
  const std::uint64_t needed = memory_needed(config, workers(4));
  EXPECT_GT(needed, 4 * (16u << 20) + 4 * (16u << 20));
  EXPECT_TRUE(check_limits(config, workers(4), {.address_space = needed, .data = needed}));

  const auto space = check_limits(config, workers(4), {.address_space = needed - 1});
  const auto data = check_limits(config, workers(4), {.data = needed - 1});

  ASSERT_FALSE(space);
  ASSERT_FALSE(data);
  EXPECT_NE(space.error().to_string().find("LimitAS="), std::string::npos);
  EXPECT_NE(data.error().to_string().find("LimitDATA="), std::string::npos);
}

// D08
TEST(ProcessLimits, AllowTheirKeysTheirMemoryFirst) {
  ServerConfig config = with_listeners(1, 0);
  config.clients_max = 1000;
  EXPECT_TRUE(check_secrets(config, {}));
  const auto refused = check_secrets(config, {.data = 48 << 20});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().to_string().find("LimitDATA="), std::string::npos);

  const std::uint64_t with_a_thousand = memory_needed(config, workers(1));
  config.clients_max = 2000;
  EXPECT_GT(memory_needed(config, workers(1)), with_a_thousand);
}

// D08
TEST(ProcessLimits, AreWarnedOfWhereTheyAreTooLowForClientsOverTcp) {
  ServerConfig config = with_listeners(1, 1);
  config.clients_max = 1000;
  EXPECT_FALSE(warning_of_limits(config, {.files = 1768}));
  ASSERT_TRUE(warning_of_limits(config, {.files = 1767}));
  EXPECT_NE(warning_of_limits(config, {.files = 1767})->find("max-clients 1000"),
            std::string::npos);
  EXPECT_FALSE(warning_of_limits(with_listeners(1, 0), {.files = 100}));
}

}  // namespace
}  // namespace ringway
