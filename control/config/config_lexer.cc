#include "control/config/config_lexer.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringway {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

std::string_view without_leading_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts `text` into lines and counts them.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  /// Without its line end; nothing at the end of the text.
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
  }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// Reads one word from the front of `rest`, which begins with neither a blank nor a comment.
Result<std::string> take_word(std::string_view& rest, const std::string& where) {
  const char quote = rest.front() == '"' || rest.front() == '\'' ? rest.front() : '\0';
  if (quote != '\0') rest.remove_prefix(1);

  std::string word;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (quote != '\0' && c == quote) return word;
    if (quote == '\0' && is_blank(c)) return word;
    if (c != '\\' || quote == '\'') {
      word += c;
      continue;
    }
    const char escaped = rest.empty() ? '\0' : rest.front();
    if (escaped != '\\' && escaped != '"' && escaped != ' ') {
      return fail("a backslash stands before a character that needs none", where,
                  R"(write \\ for a backslash, or put the word in 'single quotes')");
    }
    word += escaped;
    rest.remove_prefix(1);
  }
  if (quote != '\0') {
    return fail(fmt::format("the quotation that begins with {} does not end on this line", quote),
                where, "close it, or write a backslash before the quotation mark");
  }
  return word;
}

/// "ca" for a line that is nothing but <ca>.
std::optional<std::string_view> inline_block_name(std::string_view line) {
  line = without_trailing_blanks(without_leading_blanks(line));
  if (line.size() < 3 || line.front() != '<' || line.back() != '>' || line[1] == '/') return {};
  const std::string_view name = line.substr(1, line.size() - 2);
  const bool is_name = std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!is_name) return {};
  return name;
}

/// Takes the lines of the block from `lines`, up to and with its end.
Result<std::string> take_inline_block(LineReader& lines, std::string_view name,
                                      const std::string& where) {
  const std::string end = fmt::format("</{}>", name);
  std::string text;
  while (const auto line = lines.next()) {
    if (without_leading_blanks(*line).starts_with(end)) return text;
    text += *line;
    text += '\n';
  }
  return fail(fmt::format("the block <{}> has no end", name), where,
              fmt::format("write {} on a line of its own after it", end));
}

}  // namespace

Result<std::vector<std::string>> split_config_words(std::string_view line,
                                                    const std::string& where) {
  if (std::ranges::any_of(line, is_control)) {
    return fail("the line contains a control character", where, "delete it");
  }
  std::vector<std::string> words;
  std::string_view rest = without_leading_blanks(line);
  while (!rest.empty() && rest.front() != '#' && rest.front() != ';') {
    Result<std::string> word = take_word(rest, where);
    if (!word) return std::unexpected(word.error());
    if (word->size() > kConfigWordSizeMax) {
      return fail(
          fmt::format("a word of {} bytes; {} are allowed", word->size(), kConfigWordSizeMax),
          where, "shorten it");
    }
    if (words.size() == kConfigWordCountMax) {
      return fail(fmt::format("more than {} words", kConfigWordCountMax), where,
                  "put a parameter that contains blanks in \"double quotes\"");
    }
    words.push_back(std::move(*word));
    rest = without_leading_blanks(rest);
  }
  if (!words.empty() && words.front().starts_with("--")) words.front().erase(0, 2);
  if (!words.empty() && words.front().empty()) {
    return fail("the line begins with an empty word", where, "write an option's name first");
  }
  return words;
}

namespace {

/// The option that begins with `line`; no words when there is none.
Result<ConfigLine> lex_line(std::string_view line, LineReader& lines, const std::string& where) {
  ConfigLine option{.words = {}, .inline_text = std::nullopt, .where = where};
  if (const auto name = inline_block_name(line)) {
    Result<std::string> block = take_inline_block(lines, *name, where);
    if (!block) return std::unexpected(block.error());
    option.words = {std::string(*name)};
    option.inline_text = std::move(*block);
    return option;
  }
  if (line.size() > kConfigLineSizeMax) {
    return fail(
        fmt::format("the line has {} bytes; {} are allowed", line.size(), kConfigLineSizeMax),
        where, "shorten it, or split it into several options");
  }
  Result<std::vector<std::string>> words = split_config_words(line, where);
  if (!words) return std::unexpected(words.error());
  option.words = std::move(*words);
  return option;
}

}  // namespace

Result<std::vector<ConfigLine>> lex_config(std::string_view text, const std::string& file_name,
                                           std::vector<Error>* faults) {
  if (text.size() > kConfigFileSizeMax) {
    return fail(
        fmt::format("the file has {} bytes; {} are allowed", text.size(), kConfigFileSizeMax),
        file_name, "name large files in the options instead of inlining them");
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);

  std::vector<ConfigLine> options;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    if (line->empty()) continue;
    const std::string where = fmt::format("{}:{}", file_name, lines.number());
    Result<ConfigLine> option = lex_line(*line, lines, where);
    if (!option && faults == nullptr) return std::unexpected(option.error());
    if (!option) {
      faults->push_back(std::move(option.error()));
      continue;
    }
    if (option->words.empty()) continue;
    if (options.size() == kConfigLineCountMax) {
      return fail(fmt::format("more than {} options", kConfigLineCountMax), where, "");
    }
    options.push_back(std::move(*option));
  }
  return options;
}

Result<ConfigLine> lex_command_line_option(const std::string& text) {
  Result<std::vector<std::string>> words = split_config_words(text, "command line");
  if (!words) return std::unexpected(words.error());
  if (words->empty()) return fail("an empty option", "command line", "write --name value");
  ConfigLine option{.words = std::move(*words),
                    .inline_text = std::nullopt,
                    .where = "",
                    .from_command_line = true};
  option.where = "--" + option.name();
  return option;
}

std::string quote_config_word(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\"'\\#;") == std::string_view::npos &&
                     word.front() != '<';
  if (plain) return std::string(word);
  std::string quoted = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace ringway
