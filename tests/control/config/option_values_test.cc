#include "control/config/option_values.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

ConfigLine line_of(std::vector<std::string> words) {
  return {.words = std::move(words), .inline_text = std::nullopt, .where = "a.conf:1"};
}

TEST(OptionValues, ReadsNumbersWithinTheirLimits) {
  const NumberLimits limits{5, 70000};
  EXPECT_EQ(*number_at(line_of({"x", "5"}), 1, limits), 5u);
  EXPECT_EQ(*number_at(line_of({"x", "70000"}), 1, limits), 70000u);
  EXPECT_EQ(*number_at(line_of({"x", "0010"}), 1, limits), 10u);
  EXPECT_EQ(*number_at(line_of({"x", "18446744073709551615"}), 1, {0, UINT64_MAX}), UINT64_MAX);
}

TEST(OptionValues, RefusesWhatIsNoNumberWithinTheLimits) {
  const char* cases[] = {"",
                         "4",
                         "70001",
                         "-5",
                         "+5",
                         " 5",
                         "5 ",
                         "5s",
                         "0x10",
                         "1e3",
                         "five",
                         "5.0",
                         "18446744073709551616"};
  for (const char* text : cases) {
    const auto number = number_at(line_of({"x", text}), 1, {5, 70000});
    ASSERT_FALSE(number) << text;
    EXPECT_EQ(number.error().advice, "write a number from 5 to 70000 instead");
  }
}

TEST(OptionValues, ReadsSecondsWithoutOverflow) {
  EXPECT_EQ(*seconds_at(line_of({"x", "60"}), 1, {0, kSecondsMax}), 60s);
  const auto longest = seconds_at(line_of({"x", "2147483647"}), 1, {0, kSecondsMax});
  ASSERT_TRUE(longest);
  EXPECT_GT(*longest + *longest, *longest);
}

TEST(OptionValues, TakesAFileByNameOrInline) {
  const auto named = file_of(line_of({"ca", "ca.crt"}));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->path, "ca.crt");
  EXPECT_FALSE(named->is_inline);
  EXPECT_EQ(named->where, "a.conf:1");

  ConfigLine block = line_of({"ca"});
  block.inline_text = "PEM\n";
  const auto given = file_of(block);
  ASSERT_TRUE(given);
  EXPECT_TRUE(given->is_inline);
  EXPECT_EQ(given->text, "PEM\n");

  EXPECT_FALSE(file_of(line_of({"ca"})));
  EXPECT_FALSE(file_of(line_of({"ca", ""})));
}

TEST(OptionValues, WritesALineAsItMayBeWrittenAgain) {
  EXPECT_EQ(line_text(line_of({"push", "route 1", "", "x"})), "push \"route 1\" \"\" x");
  EXPECT_EQ(to_lower("SHA-256 \xc3\x84"), "sha-256 \xc3\x84");
}

}  // namespace
}  // namespace ringway
