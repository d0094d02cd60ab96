#include "control/pki/pki_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace ringway {
namespace {

constexpr std::size_t kFields = 6;

std::array<std::string_view, kFields> fields_of(std::string_view line, std::size_t& count) {
  std::array<std::string_view, kFields> fields;
  for (count = 0; count < kFields; ++count) {
    const bool is_last = count + 1 == kFields;
    const std::size_t end = is_last ? line.size() : std::min(line.find('\t'), line.size());
    fields[count] = line.substr(0, end);
    if (end == line.size()) {
      ++count;
      break;
    }
    line.remove_prefix(end + 1);
  }
  return fields;
}

bool is_serial(std::string_view text) {
  return !text.empty() && text.size() % 2 == 0 &&
         text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

std::optional<IndexEntry> parse_entry(std::string_view line) {
  std::size_t count = 0;
  const auto fields = fields_of(line, count);
  if (count != kFields || fields[0].size() != 1) return std::nullopt;
  IndexEntry entry;
  switch (fields[0].front()) {
    case 'V': entry.state = IndexEntry::State::Valid; break;
    case 'R': entry.state = IndexEntry::State::Revoked; break;
    case 'E': entry.state = IndexEntry::State::Expired; break;
    default: return std::nullopt;
  }
  const auto expires = parse_index_time(fields[1]);
  if (!expires || !is_serial(fields[3])) return std::nullopt;
  entry.expires = *expires;
  entry.serial = fields[3];
  entry.file = fields[4];
  entry.subject = fields[5];
  if (entry.state != IndexEntry::State::Revoked) return entry;
  const std::size_t comma = std::min(fields[2].find(','), fields[2].size());
  const auto revoked = parse_index_time(fields[2].substr(0, comma));
  if (!revoked) return std::nullopt;
  entry.revoked_at = *revoked;
  entry.reason = fields[2].substr(std::min(comma + 1, fields[2].size()));
  return entry;
}

std::string entry_text(const IndexEntry& entry) {
  const char state = entry.state == IndexEntry::State::Valid     ? 'V'
                     : entry.state == IndexEntry::State::Revoked ? 'R'
                                                                 : 'E';
  std::string revoked;
  if (entry.state == IndexEntry::State::Revoked) {
    revoked = index_time(entry.revoked_at) + (entry.reason.empty() ? "" : "," + entry.reason);
  }
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", state, index_time(entry.expires), revoked,
                     entry.serial, entry.file, entry.subject);
}

}  // namespace

Result<std::vector<IndexEntry>> parse_index(std::string_view text, const std::string& where) {
  std::vector<IndexEntry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    std::optional<IndexEntry> entry = parse_entry(line);
    if (!entry) {
      return fail("this is no line of an authority's index", fmt::format("{}:{}", where, number),
                  "take the file from a backup: without it nobody knows what was issued");
    }
    entries.push_back(std::move(*entry));
  }
  return entries;
}

std::string index_text(const std::vector<IndexEntry>& entries) {
  std::string text;
  for (const IndexEntry& entry : entries) text += entry_text(entry);
  return text;
}

std::string common_name_in(std::string_view subject) {
  constexpr std::string_view kMark = "/CN=";
  const std::size_t at = subject.rfind(kMark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = subject.substr(at + kMark.size());
  return std::string(rest.substr(0, rest.find('/')));
}

std::string index_time(UnixTime time) {
  const std::time_t seconds = time.seconds;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  const int year = parts.tm_year + 1900;
  const std::string years =
      1950 <= year && year < 2050 ? fmt::format("{:02}", year % 100) : fmt::format("{:04}", year);
  return fmt::format("{}{:02}{:02}{:02}{:02}{:02}Z", years, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::optional<UnixTime> parse_index_time(std::string_view text) {
  const bool is_long = text.size() == 15;
  if ((text.size() != 13 && !is_long) || text.back() != 'Z') return std::nullopt;
  text.remove_suffix(1);
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + size, value);
    return value;
  };
  const std::size_t years = is_long ? 4 : 2;
  const int year = number(0, years);
  std::tm parts{};
  parts.tm_year = is_long ? year - 1900 : (year < 50 ? year + 100 : year);
  parts.tm_mon = number(years, 2) - 1;
  parts.tm_mday = number(years + 2, 2);
  parts.tm_hour = number(years + 4, 2);
  parts.tm_min = number(years + 6, 2);
  parts.tm_sec = number(years + 8, 2);
  // timegm() would carry over, as far as beyond the year 9999, which has no text.
  if (parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
      parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 59) {
    return std::nullopt;
  }
  return UnixTime{::timegm(&parts)};
}

}  // namespace ringway
