#pragma once

#include <string>
#include <vector>

#include "control/check/check_report.h"

/// The golden cases of `ringway check`: a folder each in cases/, with server.conf or client.ovpn,
/// facts.json (the time, and what is known of the machine) and what is expected as text and as
/// JSON. make_cases.py writes the inputs.
namespace ringway::test {

std::vector<std::string> golden_case_names();

/// Runs the case on a copy, in which no file is readable by others, but for the case "key-exposed".
CheckReport run_golden_case(const std::string& name);

std::string golden_case_folder(const std::string& name);

}  // namespace ringway::test
