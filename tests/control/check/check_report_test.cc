#include "control/check/check_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace ringway {
namespace {

CheckReport report_of(std::vector<Finding> findings) {
  return {.source = "server.conf", .kind = ConfigKind::Server, .findings = std::move(findings)};
}

Finding finding(Severity severity, const std::string& where = "server.conf:7") {
  return {.id = "x", .severity = severity, .where = where, .what = "it is so"};
}

TEST(CheckReport, EndsWithAStatusThatTellsErrorsFromWarnings) {
  EXPECT_EQ(exit_status_of(report_of({})), 0);
  EXPECT_EQ(exit_status_of(report_of({finding(Severity::Info), finding(Severity::Advice)})), 0);
  EXPECT_EQ(exit_status_of(report_of({finding(Severity::Warning)})), 2);
  EXPECT_EQ(exit_status_of(report_of({finding(Severity::Error), finding(Severity::Warning)})), 1);
}

TEST(CheckReport, NamesFileAndLineForPrograms) {
  const auto json = nlohmann::json::parse(
      report_json(report_of({finding(Severity::Error, "a:b.conf:12 (keys/ca.crt)"),
                             finding(Severity::Error, "server.conf"),
                             finding(Severity::Error, "--port"), finding(Severity::Error, "")})));

  const auto& findings = json.at("findings");
  EXPECT_EQ(findings[0].at("file"), "a:b.conf");
  EXPECT_EQ(findings[0].at("line"), 12);
  EXPECT_EQ(findings[1].at("file"), "server.conf");
  EXPECT_FALSE(findings[1].contains("line"));
  EXPECT_EQ(findings[2].at("file"), "--port");
  EXPECT_FALSE(findings[3].contains("file"));
  EXPECT_EQ(json.at("exit_status"), 1);
  EXPECT_EQ(json.at("counts").at("error"), 4);
}

TEST(CheckReport, IsJsonWhateverBytesAreInTheConfiguration) {
  Finding strange = finding(Severity::Error);
  strange.what = "`\xff\xfe\"` is none";

  EXPECT_TRUE(nlohmann::json::accept(report_json(report_of({strange}))));
}

TEST(CheckReport, ShowsWhatATerminalWouldObey) {
  Finding strange = finding(Severity::Error);
  strange.what =
      "Schl\u00fcssel \u20ac \U0001f511 "
      "\u009b2J|\x9b|\x1b[2J|\x7f|\xc3|\xe2\x82|\xc0\xaf|\xed\xa0\x80|"
      "\xf4\x90\x80\x80|\xff";

  const std::string text = report_text(report_of({strange}));

  EXPECT_TRUE(text.contains("Schl\u00fcssel \u20ac \U0001f511 ")) << text;
  EXPECT_TRUE(
      text.contains("\\xc2\\x9b2J|\\x9b|\\x1b[2J|\\x7f|\\xc3|\\xe2\\x82|\\xc0\\xaf|"
                    "\\xed\\xa0\\x80|\\xf4\\x90\\x80\\x80|\\xff"))
      << text;
}

TEST(CheckReport, FitsATerminal) {
  Finding wide = finding(Severity::Warning);
  for (int i = 0; i < 60; ++i) wide.why += "word ";

  std::istringstream lines(report_text(report_of({wide})));

  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace ringway
