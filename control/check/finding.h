#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What `ringway check` has to say. Pure values.
namespace ringway {

enum class Severity : std::uint8_t {
  Info,     ///< what holds, for whoever comes from OpenVPN
  Advice,   ///< could be better
  Warning,  ///< works, but not for everyone or not for long
  Error,    ///< does not start, or serves nobody
};

/// A kind of finding: docs/CHECK.md has a row for each, and tests/control/check a golden case.
struct FindingKind {
  std::string_view id;
  Severity severity = Severity::Info;
  /// When it appears, for the manual.
  std::string_view meaning;
};

struct Finding {
  std::string_view id;
  Severity severity = Severity::Info;
  /// "server.conf:12", the file alone, or empty when it is about this machine.
  std::string where;
  /// One sentence.
  std::string what;
  /// What comes of it; may be empty.
  std::string why;
  /// The line to write or the command to run; may be empty.
  std::string write;
};

/// All kinds, the gravest first.
std::span<const FindingKind> finding_kinds();
std::string_view name_of(Severity severity);
/// The table of the manual, as Markdown.
std::string finding_reference();

/// Findings in the order in which they are found. A finding's severity is that of its kind.
class FindingList {
 public:
  struct Words {
    std::string where;
    std::string what;
    std::string why;
    std::string write;
  };
  /// `id` is one of finding_kinds().
  void add(std::string_view id, Words words);
  /// The gravest first; within a severity as they were found.
  [[nodiscard]] std::vector<Finding> take();

 private:
  std::vector<Finding> findings_;
};

}  // namespace ringway
