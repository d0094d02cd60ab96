#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

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

// R05: what comes and goes does not walk through all of the memory.
TEST(Secret, TakesThePlaceOfWhatWentLast) {
  std::set<const std::uint8_t*> places;
  for (int i = 0; i < 10'000; ++i) {
    const Secret<32> small;
    const Secret<256> large;
    const Secret<32> other;
    const Secret<SecretArena::kKeyScheduleSize> schedule;
    places.insert({small.bytes().data(), large.bytes().data(), other.bytes().data(),
                   schedule.bytes().data()});
  }
  EXPECT_EQ(places.size(), 4u);
}

TEST(Secret, FindsAPlaceAmongMoreHolesThanAreRemembered) {
  constexpr std::size_t kCount = 3000;
  std::vector<Secret<32>> secrets(kCount);
  for (Secret<32>& secret : secrets) secret.mutable_bytes()[0] = 1;
  std::vector<Secret<32>> kept;
  for (std::size_t i = 0; i < kCount; i += 2) kept.push_back(std::move(secrets[i]));
  const std::size_t in_use = SecretArena::slots_in_use();
  secrets.clear();
  EXPECT_EQ(SecretArena::slots_in_use(), in_use - kCount / 2);

  std::vector<Secret<32>> again(kCount);
  std::set<const std::uint8_t*> places;
  for (const auto* all : {&kept, &again}) {
    for (const Secret<32>& secret : *all) places.insert(secret.bytes().data());
  }
  EXPECT_EQ(places.size(), kCount + kCount / 2);
  EXPECT_TRUE(std::ranges::all_of(kept, [](const auto& one) { return one.bytes()[0] == 1; }));
  EXPECT_TRUE(std::ranges::all_of(again, [](const auto& one) { return one.bytes()[0] == 0; }));
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
