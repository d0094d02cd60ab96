#include "dataplane/channel/aead_self_test.h"

#include <gtest/gtest.h>

#include "tests/dataplane/channel/aead_support.h"

namespace ringway {
namespace {

TEST(AeadSelfTest, PassesEveryEngineOfThisMachine) {
  for (const test::EngineCase& one : test::engine_cases()) {
    const Result<void> tested = test_aead(one.cipher, one.engines());
    EXPECT_TRUE(tested) << one.name() << ": " << tested.error().to_string();
  }
}

TEST(AeadSelfTest, LeavesNoSecretBehind) {
  const std::size_t slots = SecretArena::slots_in_use();
  const std::size_t schedules = SecretArena::key_schedules_in_use();
  for (const test::EngineCase& one : test::engine_cases()) {
    ASSERT_TRUE(test_aead(one.cipher, one.engines()));
  }
  EXPECT_EQ(SecretArena::slots_in_use(), slots);
  EXPECT_EQ(SecretArena::key_schedules_in_use(), schedules);
}

}  // namespace
}  // namespace ringway
