#include "control/check/finding.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

TEST(Finding, KindsHaveIdsOfTheirOwnAndComeWithTheGravestFirst) {
  std::set<std::string_view> ids;
  Severity last = Severity::Error;
  for (const FindingKind& kind : finding_kinds()) {
    EXPECT_TRUE(ids.insert(kind.id).second) << kind.id;
    EXPECT_TRUE(kind.meaning.ends_with('.')) << kind.id;
    EXPECT_LE(kind.severity, last) << kind.id;
    last = kind.severity;
  }
}

TEST(Finding, KindsAreWhatTheManualSays) {
  const std::string path = std::string(RINGWAY_SOURCE_ROOT) + "/docs/CHECK.md";
  const std::string text = text_of_file(path);
  const std::size_t table = text.find("| id | severity | when |");
  ASSERT_NE(table, std::string::npos) << path;

  const std::string expected = text.substr(0, table) + finding_reference();

  EXPECT_EQ(golden(path, expected), expected)
      << "run the test with RINGWAY_UPDATE_GOLDEN=1 to write the table anew";
}

TEST(FindingList, GivesTheGravestFirstAndKeepsTheOrderWithinASeverity) {
  FindingList list;
  list.add("no-effect", {.what = "first"});
  list.add("cert-expired", {.what = "second"});
  list.add("listener", {.what = "third"});

  const std::vector<Finding> findings = list.take();

  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[0].what, "second");
  EXPECT_EQ(findings[0].severity, Severity::Error);
  EXPECT_EQ(findings[1].what, "first");
  EXPECT_EQ(findings[2].what, "third");
}

}  // namespace
}  // namespace ringway
