#include "control/config/option_table.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

constexpr const char* kReferenceMark = "<!-- The tables below are those of the parser: ";

TEST(OptionTable, NamesEachOptionOnce) {
  std::set<std::string_view> names;
  for (const OptionSection& section : option_sections()) {
    for (const OptionRow& row : section.rows) {
      EXPECT_TRUE(names.insert(row.name).second) << row.name;
      EXPECT_EQ(find_option(row.name), &row);
    }
  }
  EXPECT_GT(names.size(), 300u);
}

TEST(OptionTable, HasAReasonForEveryRowAndARemedyForEveryRefusal) {
  for (const OptionSection& section : option_sections()) {
    for (const OptionRow& row : section.rows) {
      EXPECT_FALSE(row.text.empty()) << row.name;
      EXPECT_EQ(row.status == OptionStatus::Refused, !row.instead.empty()) << row.name;
      EXPECT_EQ(row.status == OptionStatus::Works, row.apply != nullptr) << row.name;
      EXPECT_EQ(row.status == OptionStatus::Works, row.text.ends_with('.')) << row.name;
    }
  }
}

TEST(OptionTable, RefusesOrAcceptsEachOptionAsItsRowSays) {
  for (const OptionSection& section : option_sections()) {
    for (const OptionRow& row : section.rows) {
      const auto config = parse_with_required(std::string(row.name));
      if (row.status == OptionStatus::Refused) {
        EXPECT_NE(error_of(config).find(row.text), std::string::npos) << row.name;
        EXPECT_NE(error_of(config).find(row.instead), std::string::npos) << row.name;
      }
      if (row.status == OptionStatus::NoEffect) {
        ASSERT_TRUE(config) << error_of(config);
        EXPECT_TRUE(has_note(*config, "`" + std::string(row.name) + "` has no effect")) << row.name;
      }
    }
  }
}

TEST(OptionTable, KnowsEveryOptionOfOpenVpn26) {
  std::istringstream names(text_of_file(test_folder() + "samples/openvpn26-options.txt"));
  std::size_t count = 0;
  for (std::string name; names >> name; ++count) {
    EXPECT_NE(find_option(name), nullptr) << name;
  }
  EXPECT_GT(count, 250u);
}

TEST(OptionTable, FindsWhatWasMeant) {
  EXPECT_EQ(nearest_option("kepalive"), "keepalive");
  EXPECT_EQ(nearest_option("sever"), "server");
  EXPECT_EQ(nearest_option("frobnicate"), "");
  EXPECT_EQ(nearest_option("x"), "");
  EXPECT_EQ(find_option("x"), nullptr);
}

TEST(OptionTable, IsWhatTheManualSays) {
  const std::string path = std::string(RINGWAY_SOURCE_ROOT) + "/docs/CONFIG.md";
  const std::string text = text_of_file(path);
  const std::size_t mark = text.find(kReferenceMark);
  ASSERT_NE(mark, std::string::npos) << path;
  const std::size_t tables = text.find('\n', mark) + 2;

  const std::string expected = text.substr(0, tables) + option_reference();

  EXPECT_EQ(golden(path, expected), expected)
      << "run the test with RINGWAY_UPDATE_GOLDEN=1 to write the tables anew";
}

TEST(OptionTable, HelpsWithWhatWorksOnly) {
  const std::string help = option_help();

  EXPECT_NE(help.find("  --server NETWORK NETMASK [nopool]\n"), std::string::npos);
  EXPECT_EQ(help.find("--plugin"), std::string::npos);
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

}  // namespace
}  // namespace ringway
