#include "control/check/inspection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/control/check/golden_case.h"
#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

using test::golden_case_folder;
using test::golden_case_names;
using test::run_golden_case;

bool has_finding(const CheckReport& report, std::string_view id) {
  return std::ranges::find(report.findings, id, &Finding::id) != report.findings.end();
}

TEST(Inspection, SaysOfEachGoldenCaseWhatIsExpected) {
  for (const std::string& name : golden_case_names()) {
    CheckReport report = run_golden_case(name);
    // What people have names options that are served one day: those are judged elsewhere.
    if (name.starts_with("like-")) {
      std::erase_if(report.findings, [](const Finding& finding) {
        return finding.id == "refused-option" || finding.id == "no-effect" ||
               finding.id == "config-error" || finding.id == "start-note";
      });
    }
    const std::string folder = golden_case_folder(name);

    EXPECT_EQ(report_text(report), golden(folder + "expected.txt", report_text(report))) << name;
    EXPECT_EQ(report_json(report), golden(folder + "expected.json", report_json(report))) << name;
  }
}

TEST(Inspection, HasAGoldenCaseForEachFinding) {
  const std::vector<std::string> names = golden_case_names();
  for (const FindingKind& kind : finding_kinds()) {
    const bool has_case = std::ranges::find(names, kind.id) != names.end();
    EXPECT_TRUE(has_case) << "make a case in tests/control/check/make_cases.py for " << kind.id;
    if (!has_case) continue;
    EXPECT_TRUE(has_finding(run_golden_case(std::string(kind.id)), kind.id)) << kind.id;
  }
}

/// A finding that appears everywhere would say nothing.
TEST(Inspection, SaysLittleOfAConfigurationWithoutFault) {
  const CheckReport report = run_golden_case("bindv6only");

  EXPECT_EQ(exit_status_of(report), 0);
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(finding.severity, Severity::Info) << finding.id << ": " << finding.what;
  }
}

TEST(Inspection, SaysWhatToDoAboutEachErrorAndWarning) {
  for (const std::string& name : golden_case_names()) {
    for (const Finding& finding : run_golden_case(name).findings) {
      // The parser's note about a secret file has the command in it.
      if (finding.severity < Severity::Warning || finding.id == "key-exposed") continue;
      EXPECT_FALSE(finding.write.empty()) << name << ": " << finding.what;
    }
  }
}

}  // namespace
}  // namespace ringway
