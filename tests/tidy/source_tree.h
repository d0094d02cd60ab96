#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The repository as text, for the tests that read it. No parser: what they look for is simple
/// enough to be found in lines, once comments and strings are blanked.
namespace ringway::test {

struct SourceFile {
  /// From the repository's root: "dataplane/channel/aead.cc".
  std::string path;
  std::string text;
  std::vector<std::string> lines;
  /// The same lines with comments, strings and character literals blanked; C++ files only.
  std::vector<std::string> code;

  [[nodiscard]] bool is_in(std::string_view folder) const;
  [[nodiscard]] bool has_suffix(std::string_view suffix) const { return path.ends_with(suffix); }
  [[nodiscard]] bool is_cpp() const { return has_suffix(".cc") || has_suffix(".h"); }
};

/// Every text file that belongs to the repository (build folders and dot folders are left out).
/// Reads $RINGWAY_SOURCE_ROOT, or the tree that the test was built from.
const std::vector<SourceFile>& source_tree();

/// "path:12", to click on; `index` counts from 0.
std::string place(const SourceFile& file, std::size_t index);

/// Where `word` stands in `line` with no identifier character on either side.
bool has_word(std::string_view line, std::string_view word);

/// The path's folder, without the last slash; empty at the root.
std::string_view folder_of(std::string_view path);
/// The path's file name.
std::string_view name_of(std::string_view path);
/// The file name without its extension.
std::string_view stem_of(std::string_view path);

/// One function definition.
struct Function {
  std::size_t first_line = 0;  ///< index of the line on which its signature begins
  std::size_t line_count = 0;
};
/// By matching braces: a block is a function when what stands before its brace has a parameter list
/// and it is not inside another function.
std::vector<Function> functions_of(const SourceFile& file);

/// Blanks comments, strings and character literals, keeping lines and columns.
std::string blank_comments_and_strings(std::string_view text);

}  // namespace ringway::test
