#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ringway::test {
namespace {

namespace fs = std::filesystem;

bool is_identifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// Build folders, corpora, results and git's own files say nothing about style.
bool is_left_out(const fs::path& relative) {
  const std::string path = relative.generic_string();
  const std::string_view name = name_of(path);
  if (name.starts_with("build") && folder_of(path).empty()) return true;
  if (name.starts_with('.') && name != ".ci") return true;
  return path == "tests/fuzz/corpus" || path == "tests/vectors" || path == "perf/results" ||
         name == "__pycache__";
}

SourceFile load(const fs::path& root, const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  SourceFile file;
  file.path = fs::relative(path, root).generic_string();
  file.text = text.str();
  file.lines = split_lines(file.text);
  if (file.is_cpp()) file.code = split_lines(blank_comments_and_strings(file.text));
  return file;
}

std::vector<SourceFile> load_tree() {
  const char* chosen = std::getenv("RINGWAY_SOURCE_ROOT");
  const fs::path root = chosen != nullptr ? chosen : RINGWAY_SOURCE_ROOT;
  std::vector<SourceFile> files;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::end(at); ++at) {
    if (is_left_out(fs::relative(at->path(), root))) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file() && !at->is_symlink()) {
      files.push_back(load(root, at->path()));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

/// The blanker's state: what the character at hand belongs to.
enum class Inside { Code, LineComment, BlockComment, String, Character, RawString };

/// A ' between two digits separates them (1'000) and begins no character literal.
bool is_digit_separator(std::string_view text, std::size_t at) {
  return at > 0 && at + 1 < text.size() &&
         std::isxdigit(static_cast<unsigned char>(text[at - 1])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(text[at + 1])) != 0;
}

bool opens_raw_string(std::string_view text, std::size_t at) {
  return at > 0 && text[at - 1] == 'R' && (at < 2 || !is_identifier(text[at - 2]));
}

Inside opened_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) == "//") return Inside::LineComment;
  if (text.substr(at, 2) == "/*") return Inside::BlockComment;
  if (text[at] == '"') return opens_raw_string(text, at) ? Inside::RawString : Inside::String;
  if (text[at] == '\'' && !is_digit_separator(text, at)) return Inside::Character;
  return Inside::Code;
}

/// Whether there is a = outside parentheses: what follows is a value, not a body.
bool is_assigned(std::string_view before) {
  int depth = 0;
  for (const char c : before) {
    depth += (c == '(') - (c == ')');
    if (c == '=' && depth == 0) return true;
  }
  return false;
}

bool is_access_label(std::string_view before) {
  return before == "public" || before == "private" || before == "protected";
}

/// What the text before a brace says that the brace opens.
enum class Block { Scope, Function, Other };

Block block_of(std::string_view before, bool inside_function) {
  if (inside_function) return Block::Other;
  if (has_word(before, "namespace") || has_word(before, "extern")) return Block::Scope;
  const bool has_parameters = before.find('(') != std::string_view::npos;
  // `class` within a parameter list or a template header does not make a type.
  if (!has_parameters &&
      (has_word(before, "class") || has_word(before, "struct") || has_word(before, "union"))) {
    return Block::Scope;
  }
  if (has_parameters && !is_assigned(before)) return Block::Function;
  // operator== and the like have a sign of their own.
  return has_word(before, "operator") ? Block::Function : Block::Other;
}

/// Walks the braces of a file; see functions_of().
class BraceWalk {
 public:
  explicit BraceWalk(const SourceFile& file) : file_(file) {}

  std::vector<Function> run() {
    for (std::size_t line = 0; line < file_.code.size(); ++line) {
      if (file_.code[line].starts_with('#')) continue;
      for (const char c : file_.code[line]) step(c, line);
      if (!before_.empty()) before_ += ' ';
    }
    return std::move(functions_);
  }

 private:
  void step(char c, std::size_t line) {
    if (c == '{') {
      open(line);
    } else if (c == '}') {
      close(line);
    } else if (c == ';' || (c == ':' && is_access_label(before_))) {
      before_.clear();
    } else if (!before_.empty() || std::isspace(static_cast<unsigned char>(c)) == 0) {
      if (before_.empty()) begun_ = line;
      before_ += c;
    }
  }

  void open(std::size_t line) {
    const Block block = block_of(before_, inside_function_);
    if (block == Block::Function) inside_function_ = true;
    open_.push_back({block, before_.empty() ? line : begun_});
    before_.clear();
  }

  void close(std::size_t line) {
    before_.clear();
    if (open_.empty()) return;
    const Opened opened = open_.back();
    open_.pop_back();
    if (opened.block != Block::Function) return;
    inside_function_ = false;
    functions_.push_back({opened.line, line - opened.line + 1});
  }

  struct Opened {
    Block block;
    std::size_t line;
  };
  const SourceFile& file_;
  std::vector<Opened> open_;
  std::vector<Function> functions_;
  std::string before_;
  std::size_t begun_ = 0;
  bool inside_function_ = false;
};

}  // namespace

bool SourceFile::is_in(std::string_view folder) const {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

const std::vector<SourceFile>& source_tree() {
  static const std::vector<SourceFile> files = load_tree();
  return files;
}

std::string place(const SourceFile& file, std::size_t index) {
  return file.path + ":" + std::to_string(index + 1);
}

bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    const bool begins = at == 0 || !is_identifier(line[at - 1]) || !is_identifier(word.front());
    const std::size_t end = at + word.size();
    const bool ends =
        end == line.size() || !is_identifier(line[end]) || !is_identifier(word.back());
    if (begins && ends) return true;
  }
  return false;
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view stem_of(std::string_view path) {
  const std::string_view name = name_of(path);
  return name.substr(0, name.find('.'));
}

std::vector<Function> functions_of(const SourceFile& file) { return BraceWalk(file).run(); }

std::string blank_comments_and_strings(std::string_view text) {
  std::string blanked(text);
  Inside inside = Inside::Code;
  std::string raw_end;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool was_code = inside == Inside::Code;
    if (was_code) {
      inside = opened_at(text, at);
      if (inside == Inside::Code) continue;
      if (inside == Inside::RawString) {
        raw_end = ")" + std::string(text.substr(at + 1, text.find('(', at) - at - 1)) + "\"";
      }
    }
    if (text[at] != '\n') blanked[at] = ' ';
    if (inside == Inside::LineComment) {
      if (text[at] == '\n') inside = Inside::Code;
    } else if (was_code) {
      if (inside == Inside::BlockComment) blanked[++at] = ' ';
    } else if (inside == Inside::BlockComment) {
      if (text.substr(at, 2) == "*/") {
        blanked[++at] = ' ';
        inside = Inside::Code;
      }
    } else if (inside == Inside::RawString) {
      if (text.substr(at, raw_end.size()) == raw_end) {
        for (std::size_t i = 1; i < raw_end.size(); ++i) blanked[++at] = ' ';
        inside = Inside::Code;
      }
    } else if (text[at] == '\\' && at + 1 < text.size()) {
      if (text[++at] != '\n') blanked[at] = ' ';
    } else if (text[at] == (inside == Inside::String ? '"' : '\'')) {
      inside = Inside::Code;
    }
  }
  return blanked;
}

}  // namespace ringway::test
