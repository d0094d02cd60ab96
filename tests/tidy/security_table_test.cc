#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source_tree.h"

// docs/SECURITY.md promises that each goal has tests which name it.
namespace ringway::test {
namespace {

struct Row {
  std::string id;
  std::vector<std::string> tests;
};

const SourceFile* find_file(std::string_view path) {
  const auto& tree = source_tree();
  const auto found = std::ranges::find(tree, path, &SourceFile::path);
  return found == tree.end() ? nullptr : &*found;
}

std::vector<std::string> quoted_words(std::string_view cell) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t open = cell.find('`');
    if (open == std::string_view::npos) return words;
    const std::size_t close = cell.find('`', open + 1);
    if (close == std::string_view::npos) return words;
    words.emplace_back(cell.substr(open + 1, close - open - 1));
    cell = cell.substr(close + 1);
  }
}

/// "| A01 | promise | kept in | tests |"
std::vector<Row> rows_of(const SourceFile& page) {
  std::vector<Row> rows;
  for (const std::string& line : page.lines) {
    if (line.size() < 7 || !line.starts_with("| ") || line[5] != ' ' || line[6] != '|') continue;
    const std::size_t last_cell = line.rfind('|', line.size() - 2);
    rows.push_back({line.substr(2, 3), quoted_words(line.substr(last_cell))});
  }
  return rows;
}

bool is_goal(std::string_view word) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return word.size() == 3 && std::string_view("ABCDEFR").contains(word[0]) && is_digit(word[1]) &&
         is_digit(word[2]);
}

/// The ids that a test names: in comments, and behind an underscore at the end of its name.
std::vector<std::string> goals_in(const SourceFile& file) {
  std::vector<std::string> goals;
  for (const std::string& line : file.lines) {
    if (line.find("TEST") == line.npos && line.find("//") == line.npos && !line.starts_with('#')) {
      continue;
    }
    std::string word;
    for (const char c : line + ' ') {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        word += c;
        continue;
      }
      if (is_goal(word)) goals.push_back(word);
      word.clear();
    }
  }
  return goals;
}

TEST(SecurityTable, NamesTestsThatNameTheGoal) {
  const SourceFile* page = find_file("docs/SECURITY.md");
  ASSERT_NE(page, nullptr);
  const std::vector<Row> rows = rows_of(*page);
  EXPECT_GE(rows.size(), 23U);

  for (const Row& row : rows) {
    EXPECT_FALSE(row.tests.empty()) << row.id << " has no test";
    for (const std::string& path : row.tests) {
      const SourceFile* file = find_file("tests/" + path);
      ASSERT_NE(file, nullptr) << row.id << " names tests/" << path << ", which is not there";
      EXPECT_NE(file->text.find(row.id), std::string::npos)
          << "tests/" << path << " does not name " << row.id;
    }
  }
}

TEST(SecurityTable, HasARowForEveryGoalThatATestNames) {
  const SourceFile* page = find_file("docs/SECURITY.md");
  ASSERT_NE(page, nullptr);
  const std::vector<Row> rows = rows_of(*page);
  for (const SourceFile& file : source_tree()) {
    const bool is_test = file.is_in("tests") && !file.is_in("tests/tidy");
    if (!is_test || !(file.has_suffix(".cc") || file.has_suffix(".sh"))) continue;
    for (const std::string& id : goals_in(file)) {
      const auto row = std::ranges::find(rows, id, &Row::id);
      ASSERT_TRUE(row != rows.end()) << file.path << " names " << id << ", which has no row";
      const std::string path = file.path.substr(std::string_view("tests/").size());
      EXPECT_TRUE(std::ranges::find(row->tests, path) != row->tests.end())
          << "the row of " << id << " does not name " << path;
    }
  }
}

TEST(SecurityTable, HasARowForEveryGoalOfTheFirstServer) {
  const SourceFile* page = find_file("docs/SECURITY.md");
  ASSERT_NE(page, nullptr);
  const std::vector<Row> rows = rows_of(*page);
  for (const std::string_view id :
       {"A01", "A02", "A03", "A05", "A06", "A10", "A11", "A12", "A16", "A17", "A18", "A19",
        "A20", "A24", "C01", "C02", "E01", "E02", "E03", "E04", "E05", "E07", "F05"}) {
    EXPECT_TRUE(std::ranges::find(rows, id, &Row::id) != rows.end()) << id;
  }
}

}  // namespace
}  // namespace ringway::test
