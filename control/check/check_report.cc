#include "control/check/check_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace ringway {
namespace {

constexpr std::size_t kWidth = 92;

std::size_t count_of(const CheckReport& report, Severity severity) {
  return static_cast<std::size_t>(
      std::ranges::count(report.findings, severity, &Finding::severity));
}

std::string_view kind_text(ConfigKind kind) {
  return kind == ConfigKind::Server ? "server" : "client";
}

/// `label` and then `text`, in lines that hang below its beginning.
std::string hanging(std::string_view label, std::string_view text) {
  const std::string indent(10, ' ');
  std::string lines;
  std::string line = fmt::format("  {:<8}", label);
  bool is_new = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!is_new && line.size() + 1 + word.size() > kWidth) {
      lines += line + '\n';
      line = indent;
      is_new = true;
    }
    if (!is_new) line += ' ';
    line += word;
    is_new = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + line + '\n';
}

/// How many bytes the UTF-8 character at the beginning has (RFC 3629, section 3), when a terminal
/// shows it; 0 when it is none, or one that a terminal obeys, of C0 or C1.
std::size_t shown_size(std::string_view text) {
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0x20, 0xa0, 0x800, 0x10000};
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : static_cast<std::size_t>(std::countl_one(first));
  if (size >= kLeast.size() || size > text.size()) return 0;
  std::uint32_t code = size == 1 ? first : first & (0x7fu >> size);
  for (const char c : text.substr(1, size - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte & 0x3fu);
  }
  const bool is_surrogate = code >= 0xd800 && code < 0xe000;
  const bool is_shown = code >= kLeast[size] && code != 0x7f && !is_surrogate && code < 0x110000;
  // A byte that only goes on with a character begins none.
  return is_shown && (first & 0xc0) != 0x80 ? size : 0;
}

/// A configuration may come from anybody, and what it says is quoted.
std::string for_terminal(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t size = text.front() == '\n' ? 1 : shown_size(text);
    if (size == 0) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      shown += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return shown;
}

/// "server.conf:12 (keys/ca.crt)" -> the file and the line; 0 when there is none.
std::pair<std::string, int> split_place(const std::string& where) {
  const std::string place = where.substr(0, where.find(" ("));
  const std::size_t colon = place.rfind(':');
  if (colon == place.npos || colon + 1 == place.size()) return {place, 0};
  int line = 0;
  for (const char c : place.substr(colon + 1)) {
    if (c < '0' || c > '9' || line > 1'000'000) return {place, 0};
    line = line * 10 + (c - '0');
  }
  return {place.substr(0, colon), line};
}

}  // namespace

std::string report_text(const CheckReport& report) {
  std::string text =
      fmt::format("{}: a {}'s configuration\n", report.source, kind_text(report.kind));
  for (const Finding& finding : report.findings) {
    text += fmt::format("\n{} [{}] {}\n", name_of(finding.severity), finding.id,
                        finding.where.empty() ? "this machine" : finding.where);
    text += hanging("what", finding.what);
    if (!finding.why.empty()) text += hanging("why", finding.why);
    if (!finding.write.empty()) text += hanging("write", finding.write);
  }
  const auto counted = [&](Severity severity, std::string_view one, std::string_view many) {
    const std::size_t count = count_of(report, severity);
    return fmt::format("{} {}", count, count == 1 ? one : many);
  };
  text += fmt::format(
      "\n{}, {}, {} of advice, {} of information\n", counted(Severity::Error, "error", "errors"),
      counted(Severity::Warning, "warning", "warnings"),
      counted(Severity::Advice, "piece", "pieces"), counted(Severity::Info, "piece", "pieces"));
  return for_terminal(text);
}

std::string report_json(const CheckReport& report) {
  using Json = nlohmann::ordered_json;
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    const auto [file, line] = split_place(finding.where);
    Json object{{"id", finding.id}, {"severity", name_of(finding.severity)}};
    if (!file.empty()) object["file"] = file;
    if (line > 0) object["line"] = line;
    object["what"] = finding.what;
    if (!finding.why.empty()) object["why"] = finding.why;
    if (!finding.write.empty()) object["write"] = finding.write;
    findings.push_back(std::move(object));
  }
  const Json root{{"config", report.source},
                  {"kind", kind_text(report.kind)},
                  {"exit_status", exit_status_of(report)},
                  {"counts",
                   {{"error", count_of(report, Severity::Error)},
                    {"warning", count_of(report, Severity::Warning)},
                    {"advice", count_of(report, Severity::Advice)},
                    {"info", count_of(report, Severity::Info)}}},
                  {"findings", std::move(findings)}};
  // A configuration may hold any bytes; what is no UTF-8 is replaced.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

int exit_status_of(const CheckReport& report) {
  if (count_of(report, Severity::Error) > 0) return 1;
  return count_of(report, Severity::Warning) > 0 ? 2 : 0;
}

}  // namespace ringway
