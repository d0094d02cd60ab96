#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// OpenVPN's configuration syntax, before any option is known by name. Pure.
///
///   # comment, ; comment            at the start of a line or after white space
///   option word "a word" 'a word'   the leading -- of an option is optional
///   <option>                        an inline block: every line up to the one that
///   ...                             begins with </option>, leading white space aside
///   </option>
///
/// Outside single quotes a backslash makes the next backslash, double quote or blank an ordinary
/// character. Quotes count only at the start of a word, and a closing quote ends the word.
namespace ringway {

inline constexpr std::size_t kConfigLineSizeMax = 256;
inline constexpr std::size_t kConfigWordSizeMax = 255;
inline constexpr std::size_t kConfigWordCountMax = 16;
/// Of one file, inline blocks included. A CRL of a large authority is the biggest thing in it.
inline constexpr std::size_t kConfigFileSizeMax = std::size_t{8} << 20;
/// Lines with an option on them, over all files.
inline constexpr std::size_t kConfigLineCountMax = 10'000;

/// One option as it stands in the text.
struct ConfigLine {
  /// The option's name without dashes, then its parameters. Never empty.
  std::vector<std::string> words;
  /// The lines of an inline block, each ended by "\n".
  std::optional<std::string> inline_text;
  /// "server.conf:12", or "--port" for an option of the command line.
  std::string where;
  bool from_command_line = false;

  [[nodiscard]] const std::string& name() const { return words.front(); }
  /// Counted from 1; only for indexes up to parameter_count().
  [[nodiscard]] const std::string& parameter(std::size_t index) const { return words[index]; }
  [[nodiscard]] std::size_t parameter_count() const { return words.size() - 1; }
};

/// Splits one line into words; an empty or commented line gives none. Control characters other than
/// tab are refused: what a configuration says ends up in logs and in messages to clients.
Result<std::vector<std::string>> split_config_words(std::string_view line,
                                                    const std::string& where);

/// A whole file. A byte order mark at its start and CR LF line ends are accepted. With `faults`,
/// what is wrong with a line goes there, and the other lines are read nevertheless.
Result<std::vector<ConfigLine>> lex_config(std::string_view text, const std::string& file_name,
                                           std::vector<Error>* faults = nullptr);

/// One option of the command line, in the same language ("port 1195").
Result<ConfigLine> lex_command_line_option(const std::string& text);

/// The word as split_config_words() reads it back: quoted only where needed.
std::string quote_config_word(std::string_view word);

}  // namespace ringway
