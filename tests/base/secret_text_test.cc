#include "base/secret_text.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/secret.h"

namespace ringway {
namespace {

TEST(SecretText, KeepsItsPartsOneBehindTheOther) {
  EXPECT_EQ(SecretText("alice").view(), "alice");
  EXPECT_EQ(SecretText({"SCRV1:", "cA==", ":", "cg=="}).view(), "SCRV1:cA==:cg==");
  EXPECT_TRUE(SecretText("").empty());
}

TEST(SecretText, IsCutAtItsLimit) {
  EXPECT_EQ(SecretText(std::string(5000, 'x')).view().size(), SecretText::kSizeMax);
}

TEST(SecretText, LivesInTheArenaAndLeavesIt) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    const SecretText text("a password");
    EXPECT_GT(SecretArena::slots_in_use(), before);
    const SecretText other = text.copy();
    EXPECT_EQ(other.view(), text.view());
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

TEST(SecretText, MovesWithoutACopy) {
  SecretText text("a password");
  const void* const place = text.view().data();
  SecretText moved = std::move(text);
  EXPECT_EQ(moved.view().data(), place);
  SecretText assigned;
  assigned = std::move(moved);
  EXPECT_EQ(assigned.view(), "a password");
}

TEST(SecretText, WipesTheTextThatItIsTakenFrom) {
  std::string text = "a password that does not fit into the object itself";
  const char* const place = text.data();
  const SecretText taken = SecretText::take(text);
  EXPECT_EQ(taken.view(), "a password that does not fit into the object itself");
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(place[0], '\0');
}

}  // namespace
}  // namespace ringway
