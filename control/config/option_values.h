#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "control/config/config.h"
#include "control/config/config_lexer.h"

/// Reads the parameters of one option; every error names the line, the value and the values that
/// are allowed. Pure.
namespace ringway {

struct NumberLimits {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

/// A decimal number: no sign, no unit, nothing after it.
Result<std::uint64_t> number_at(const ConfigLine& line, std::size_t index, NumberLimits limits);
/// Whole seconds.
Result<Duration> seconds_at(const ConfigLine& line, std::size_t index, NumberLimits limits);
/// The limit of every time: about 68 years, so that no sum of times overflows.
inline constexpr std::uint64_t kSecondsMax = 0x7fff'ffff;

/// `inactive SECONDS [BYTES]`.
Result<ActivityLimit> activity_limit_of(const ConfigLine& line);

/// The file named by the first parameter, or the inline block.
Result<FileOrInline> file_of(const ConfigLine& line);

/// "`name` cannot be `value`": `takes` says what to write instead.
std::unexpected<Error> bad_value(const ConfigLine& line, std::size_t index,
                                 const std::string& takes);
/// "`name value` why".
std::unexpected<Error> refused_value(const ConfigLine& line, const std::string& why,
                                     const std::string& advice);

/// The line as it may be written again: the name and its parameters.
std::string line_text(const ConfigLine& line);
std::string to_lower(std::string_view text);

}  // namespace ringway
