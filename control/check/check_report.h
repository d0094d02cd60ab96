#pragma once

#include <string>
#include <vector>

#include "control/check/finding.h"
#include "control/config/option_table.h"

/// Findings for people, for programs and for CI. Pure.
namespace ringway {

struct CheckReport {
  std::string source;
  ConfigKind kind = ConfigKind::Server;
  std::vector<Finding> findings;
};

/// One paragraph a finding, the gravest first, and a last line with how many there are.
std::string report_text(const CheckReport& report);
/// One object; docs/CHECK.md describes it.
std::string report_json(const CheckReport& report);
/// 0: nothing worse than advice; 1: errors; 2: warnings, and no errors.
int exit_status_of(const CheckReport& report);

}  // namespace ringway
