#include "dataplane/flat_map.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

struct LowBits {
  std::uint64_t operator()(std::uint32_t key) const { return key & 7; }
};
struct Identity {
  std::uint64_t operator()(std::uint32_t key) const { return key; }
};

TEST(FlatMap, FindsWhatWasInsertedAndNothingElse) {
  FlatMap<std::uint32_t, int, Identity> map(Identity{});
  map.insert_or_assign(1, 10);
  map.insert_or_assign(17, 20);
  map.insert_or_assign(1, 11);

  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(*map.find(1), 11);
  EXPECT_EQ(*map.find(17), 20);
  EXPECT_EQ(map.find(33), nullptr);
}

TEST(FlatMap, ErasesOnce) {
  FlatMap<std::uint32_t, int, Identity> map(Identity{});
  map.insert_or_assign(1, 10);

  EXPECT_TRUE(map.erase(1));
  EXPECT_FALSE(map.erase(1));
  EXPECT_EQ(map.find(1), nullptr);
  EXPECT_EQ(map.size(), 0u);
}

// Every key falls on one of eight places, so that erasing has long runs to close.
TEST(FlatMap, AgreesWithAMapHoweverManyKeysCollide) {
  constexpr std::uint64_t kSeed = 23;
  test::SeededRandom random(kSeed);
  FlatMap<std::uint32_t, std::uint64_t, LowBits> map(LowBits{});
  std::map<std::uint32_t, std::uint64_t> model;
  for (int step = 0; step < 50'000; ++step) {
    const auto key = static_cast<std::uint32_t>(random.next() % 100);
    if (random.happens(0.5)) {
      const std::uint64_t value = random.next();
      map.insert_or_assign(key, value);
      model[key] = value;
    } else {
      ASSERT_EQ(map.erase(key), model.erase(key) == 1) << "seed " << kSeed << " step " << step;
    }
    ASSERT_EQ(map.size(), model.size());
    for (std::uint32_t probe = 0; probe < 100; probe += 7) {
      const auto found = model.find(probe);
      const std::uint64_t* const value = map.find(probe);
      ASSERT_EQ(value != nullptr, found != model.end()) << "seed " << kSeed << " step " << step;
      if (value != nullptr) {
        ASSERT_EQ(*value, found->second);
      }
    }
  }
}

}  // namespace
}  // namespace ringway
