#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ringway {
namespace {

TEST(Secret, StartsZeroedAndKeepsWhatItIsGiven) {
  Secret<40> secret;
  EXPECT_TRUE(std::ranges::all_of(secret.bytes(), [](std::uint8_t byte) { return byte == 0; }));
  secret.mutable_bytes()[39] = 7;
  const Secret<40> copy = secret.copy();
  EXPECT_EQ(copy.bytes()[39], 7);
}

TEST(Secret, IsWipedAndGivenBackWhenDestroyed) {
  const std::size_t before = SecretArena::slots_in_use();
  const std::uint8_t* memory = nullptr;
  {
    Secret<256> secret;
    std::ranges::fill(secret.mutable_bytes(), std::uint8_t{0xa5});
    memory = secret.bytes().data();
    EXPECT_EQ(SecretArena::slots_in_use(), before + 4);
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
  EXPECT_TRUE(std::all_of(memory, memory + 256, [](std::uint8_t byte) { return byte == 0; }));
}

// Security goal A26.
TEST(Secret, TakesExpandedKeysFromAPoolOfTheirOwnAndWipesThem) {
  const std::size_t slots = SecretArena::slots_in_use();
  const std::size_t schedules = SecretArena::key_schedules_in_use();
  const std::uint8_t* memory = nullptr;
  {
    Secret<SecretArena::kKeyScheduleSize> schedule;
    std::ranges::fill(schedule.mutable_bytes(), std::uint8_t{0xa5});
    memory = schedule.bytes().data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % SecretArena::kSlotSize, 0u);
    EXPECT_EQ(SecretArena::key_schedules_in_use(), schedules + 1);
    EXPECT_EQ(SecretArena::slots_in_use(), slots);
  }
  EXPECT_EQ(SecretArena::key_schedules_in_use(), schedules);
  EXPECT_TRUE(std::all_of(memory, memory + SecretArena::kKeyScheduleSize,
                          [](std::uint8_t byte) { return byte == 0; }));
}

TEST(Secret, MovesWithoutLeavingACopyBehind) {
  Secret<32> from;
  from.mutable_bytes()[0] = 9;
  const Secret<32> to = std::move(from);
  EXPECT_EQ(to.bytes()[0], 9);
  EXPECT_TRUE(from.bytes().empty());  // NOLINT(bugprone-use-after-move): that is the promise.
}

TEST(Secret, ComparesInConstantTimeAndBySize) {
  const std::uint8_t a[] = {1, 2, 3};
  const std::uint8_t b[] = {1, 2, 4};
  EXPECT_TRUE(equal_in_constant_time(a, a));
  EXPECT_FALSE(equal_in_constant_time(a, b));
  EXPECT_FALSE(equal_in_constant_time(a, Bytes(a).first(2)));
}

}  // namespace
}  // namespace ringway
