#include "control/config/option_values.h"

#include <fmt/format.h>

#include <charconv>

namespace ringway {

Result<std::uint64_t> number_at(const ConfigLine& line, std::size_t index, NumberLimits limits) {
  const std::string& text = line.parameter(index);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (!is_number || value < limits.min || value > limits.max) {
    return bad_value(line, index,
                     limits.max == UINT64_MAX
                         ? fmt::format("a number from {}", limits.min)
                         : fmt::format("a number from {} to {}", limits.min, limits.max));
  }
  return value;
}

Result<Duration> seconds_at(const ConfigLine& line, std::size_t index, NumberLimits limits) {
  const Result<std::uint64_t> seconds = number_at(line, index, limits);
  if (!seconds) return std::unexpected(seconds.error());
  return std::chrono::seconds(*seconds);
}

Result<ActivityLimit> activity_limit_of(const ConfigLine& line) {
  const Result<Duration> time = seconds_at(line, 1, {0, kSecondsMax});
  if (!time) return std::unexpected(time.error());
  ActivityLimit limit{.time = *time};
  if (line.parameter_count() == 1) return limit;
  const Result<std::uint64_t> bytes = number_at(line, 2, {0, UINT64_MAX});
  if (!bytes) return std::unexpected(bytes.error());
  limit.bytes = *bytes;
  return limit;
}

Result<FileOrInline> file_of(const ConfigLine& line) {
  FileOrInline file;
  file.where = line.where;
  if (line.inline_text) {
    file.is_inline = true;
    file.text = *line.inline_text;
    return file;
  }
  if (line.parameter_count() == 0 || line.parameter(1).empty()) {
    return fail(fmt::format("`{}` names no file", line.name()), line.where,
                fmt::format("write `{} FILE`", line.name()));
  }
  file.path = line.parameter(1);
  return file;
}

std::unexpected<Error> bad_value(const ConfigLine& line, std::size_t index,
                                 const std::string& takes) {
  return fail(fmt::format("`{}` cannot be `{}`", line.name(), line.parameter(index)), line.where,
              fmt::format("write {} instead", takes));
}

std::unexpected<Error> refused_value(const ConfigLine& line, const std::string& why,
                                     const std::string& advice) {
  return fail(fmt::format("`{}` {}", line_text(line), why), line.where, advice);
}

std::string line_text(const ConfigLine& line) {
  std::string text = line.name();
  for (std::size_t i = 1; i <= line.parameter_count(); ++i) {
    text += ' ' + quote_config_word(line.parameter(i));
  }
  return text;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace ringway
