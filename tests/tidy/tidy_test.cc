#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/exceptions.h"
#include "tests/tidy/source_tree.h"

// docs/STYLE.md, as far as a machine can check it. Each failure names the line and the remedy.
namespace ringway::test {
namespace {

constexpr std::size_t kSourceLinesMax = 400;
constexpr std::size_t kHeaderLinesMax = 250;
constexpr std::size_t kFunctionLinesMax = 70;
constexpr std::size_t kColumnsMax = 100;

struct Banned {
  std::string_view call;
  std::string_view remedy;
};

/// Banned everywhere, tests included.
const std::vector<Banned> kBannedCalls = {
    {"sprintf", "fmt::format_to_n, or fmt::format outside the packet path"},
    {"snprintf", "fmt::format_to_n"},
    {"vsprintf", "fmt::format"},
    {"strcpy", "std::string or std::copy over spans"},
    {"strncpy", "std::string or std::copy over spans"},
    {"strcat", "std::string"},
    {"strtok", "std::string_view::find"},
    {"gets", "std::getline"},
    {"atoi", "std::from_chars"},
    {"atol", "std::from_chars"},
    {"atof", "std::from_chars"},
    {"strtol", "std::from_chars"},
    {"strtoul", "std::from_chars"},
    {"rand", "RandomSource"},
    {"srand", "RandomSource"},
    {"random_device", "RandomSource"},
    {"alloca", "std::array"},
    {"setjmp", "an early return"},
    {"longjmp", "an early return"},
    {"popen", "nothing: the server starts no shell"},
    {"system", "nothing: the server starts no shell"},
    {"std::regex", "std::string_view and a loop"},
    {"std::endl", "'\\n'"},
    {"std::bind", "a lambda"},
    {"shared_ptr", "one owner, and references"},
    {"dynamic_cast", "std::variant"},
    {"const_cast", "a type that is not const"},
    {"sleep_for", "a deadline"},
    {"usleep", "a deadline"},
    {"assert", "RW_ASSERT, which stays on in release builds"},
    {"volatile", "std::atomic"},
};

/// Banned outside tests, where gtest and the vectors may use them.
const std::vector<Banned> kBannedInProduct = {
    {"throw", "std::expected"},
    {"catch", "std::expected"},
    {"printf", "base/log.h, or fmt::print in tools"},
    {"fprintf", "base/log.h, or fmt::print in tools"},
    {"abort", "RW_ASSERT"},
    // A24: how long it takes would tell a stranger how much of a tag he has right.
    {"memcmp",
     "equal_in_constant_time() for tags, cookies, tokens; std::ranges::equal for the rest"},
    {"bcmp", "equal_in_constant_time() for tags, cookies, tokens; std::ranges::equal for the rest"},
    {"strcmp", "std::string_view"},
    {"thread_local", "a member of the object that the thread owns"},
};

bool is_test(const SourceFile& file) { return file.is_in("tests"); }
bool is_script(const SourceFile& file) {
  return file.has_suffix(".sh") || file.has_suffix(".py") || file.lines.front().starts_with("#!");
}

bool is_allowed(std::string_view path, std::string_view call) {
  return std::any_of(kAllowedUses.begin(), kAllowedUses.end(),
                     [&](const AllowedUse& use) { return use.path == path && use.call == call; });
}

void expect_no_call(const SourceFile& file, const std::vector<Banned>& banned) {
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    for (const auto& [call, remedy] : banned) {
      EXPECT_TRUE(!has_word(file.code[i], call) || is_allowed(file.path, call))
          << place(file, i) << " uses " << call << "\n  instead: " << remedy;
    }
  }
}

std::size_t lines_max(const SourceFile& file) {
  return file.has_suffix(".h") && !is_test(file) ? kHeaderLinesMax : kSourceLinesMax;
}

TEST(Tidy, FilesAreShort) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_cpp()) continue;
    EXPECT_LE(file.lines.size(), lines_max(file))
        << file.path << " has " << file.lines.size() << " lines: split it, one noun a file";
  }
}

TEST(Tidy, FunctionsFitOnAScreen) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_cpp()) continue;
    for (const Function& function : functions_of(file)) {
      EXPECT_LE(function.line_count, kFunctionLinesMax)
          << place(file, function.first_line) << ": the function has " << function.line_count
          << " lines";
    }
  }
}

TEST(Tidy, LinesAreShort) {
  for (const SourceFile& file : source_tree()) {
    if (file.lines.empty() || !(file.is_cpp() || is_script(file))) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      // A line of UTF-8 is as long as its characters.
      const auto columns = std::count_if(file.lines[i].begin(), file.lines[i].end(),
                                         [](char c) { return (c & 0xc0) != 0x80; });
      EXPECT_LE(static_cast<std::size_t>(columns), kColumnsMax) << place(file, i);
    }
  }
}

TEST(Tidy, TextIsClean) {
  for (const SourceFile& file : source_tree()) {
    if (file.lines.empty() || !(file.is_cpp() || is_script(file))) continue;
    EXPECT_TRUE(file.text.ends_with('\n')) << file.path << " does not end with a new line";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(file.lines[i].ends_with(' ')) << place(file, i) << ": blanks at the end";
      EXPECT_EQ(file.lines[i].find('\t'), std::string::npos) << place(file, i) << ": a tab";
    }
  }
}

TEST(Tidy, BannedCallsAreNotUsed) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_cpp()) continue;
    expect_no_call(file, kBannedCalls);
    if (!is_test(file)) expect_no_call(file, kBannedInProduct);
  }
}

TEST(Tidy, CodecsDoNotReinterpretBytes) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_cpp() || is_test(file)) continue;
    if (!file.is_in("dataplane/channel") && !file.is_in("dataplane/admission")) continue;
    expect_no_call(file, {{"reinterpret_cast", "ByteReader and ByteWriter"}});
  }
}

TEST(Tidy, NoWorkIsLeftBehind) {
  for (const SourceFile& file : source_tree()) {
    // The words stand here and in the style guide.
    if (file.is_in("tests/tidy") || file.has_suffix(".md")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(has_word(file.lines[i], "FIXME")) << place(file, i);
      EXPECT_FALSE(has_word(file.lines[i], "XXX")) << place(file, i);
      const bool names_an_issue = file.lines[i].find("TODO(#") != std::string::npos;
      EXPECT_TRUE(names_an_issue || !has_word(file.lines[i], "TODO"))
          << place(file, i) << ": write TODO(#number), or do it";
    }
  }
}

TEST(Tidy, NothingOutsideTheRepositoryIsNamed) {
  for (const SourceFile& file : source_tree()) {
    if (file.is_in("tests/tidy")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string_view outside :
           {"/work/", "/home/", "shared/design", "protocol.md", "architecture.md", "security.md",
            "kernel-facts.md", "ecosystem.md", "peers.md"}) {
        EXPECT_EQ(file.lines[i].find(outside), std::string::npos)
            << place(file, i) << " names " << outside << ", which a reader does not have";
      }
    }
  }
}

/// A document that the line points to, like docs/STYLE.md; empty when there is none.
std::string document_on(std::string_view line) {
  const std::size_t begin = line.find("docs/");
  const std::size_t end = line.find(".md", begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return {};
  std::string document(line.substr(begin, end + 3 - begin));
  return document.find_first_of(" *`<") == std::string::npos ? document : std::string{};
}

TEST(Tidy, DocumentsThatAreCitedExist) {
  const auto& files = source_tree();
  for (const SourceFile& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string document = document_on(file.lines[i]);
      if (document.empty() || document.find("NNNN") != std::string::npos) continue;
      EXPECT_TRUE(std::any_of(files.begin(), files.end(),
                              [&](const SourceFile& other) { return other.path == document; }))
          << place(file, i) << ": there is no " << document;
    }
  }
}

/// Whether a meson.build in the file's folder, or in one above it, names the file.
bool is_built(const SourceFile& file) {
  for (std::string_view folder = folder_of(file.path);; folder = folder_of(folder)) {
    const std::string build_file =
        std::string(folder) + (folder.empty() ? "" : "/") + "meson.build";
    for (const SourceFile& other : source_tree()) {
      if (other.path != build_file) continue;
      // The fuzzers are listed by their stems.
      if (other.text.find(name_of(file.path)) != std::string::npos ||
          other.text.find("'" + std::string(stem_of(file.path)) + "'") != std::string::npos) {
        return true;
      }
    }
    if (folder.empty()) return false;
  }
}

TEST(Tidy, EverySourceFileIsBuilt) {
  for (const SourceFile& file : source_tree()) {
    if (!file.has_suffix(".cc")) continue;
    EXPECT_TRUE(is_built(file)) << file.path << " is named in no meson.build: an orphan";
  }
}

/// Where its test belongs, up to what may follow: tests/<same folder>/<stem>_
std::string test_stem_of(const SourceFile& file) {
  return "tests/" + std::string(folder_of(file.path)) + "/" + std::string(stem_of(file.path)) + "_";
}

/// <stem>_test.cc, or <stem>_<aspect>_test.cc.
bool has_test(const SourceFile& file) {
  const std::string stem = test_stem_of(file);
  return std::any_of(source_tree().begin(), source_tree().end(), [&](const SourceFile& other) {
    return other.path.starts_with(stem) && other.has_suffix("_test.cc");
  });
}

bool is_excused(std::string_view path) {
  return std::any_of(kTestedElsewhere.begin(), kTestedElsewhere.end(),
                     [&](const TestedElsewhere& excuse) { return excuse.path == path; });
}

TEST(Tidy, EverySourceFileHasItsTest) {
  for (const SourceFile& file : source_tree()) {
    if (!file.has_suffix(".cc") || is_test(file) || file.is_in("perf")) continue;
    EXPECT_TRUE(has_test(file) || is_excused(file.path))
        << file.path << " has no test of its own; write tests/" << folder_of(file.path) << "/"
        << stem_of(file.path) << "_test.cc, or say in tests/tidy/exceptions.h what covers it";
  }
}

TEST(Tidy, ExcusesAreStillNeeded) {
  const auto& files = source_tree();
  for (const TestedElsewhere& excuse : kTestedElsewhere) {
    const auto file = std::find_if(files.begin(), files.end(), [&](const SourceFile& candidate) {
      return candidate.path == excuse.path;
    });
    ASSERT_NE(file, files.end()) << excuse.path << " is excused in exceptions.h, and is gone";
    EXPECT_TRUE(std::none_of(
        files.begin(), files.end(),
        [&](const SourceFile& other) { return other.path == test_stem_of(*file) + "test.cc"; }))
        << excuse.path << " has a test: take it out of exceptions.h";
    EXPECT_FALSE(excuse.covered_by.empty()) << excuse.path;
  }
  for (const AllowedUse& use : kAllowedUses) {
    const auto uses = [&](const SourceFile& file) {
      return file.path == use.path &&
             std::any_of(file.code.begin(), file.code.end(),
                         [&](const std::string& line) { return has_word(line, use.call); });
    };
    EXPECT_TRUE(std::any_of(files.begin(), files.end(), uses))
        << use.path << " does not use " << use.call << " any more: take it out of exceptions.h";
  }
}

TEST(Tidy, TheBlankerKeepsCodeAndLines) {
  EXPECT_EQ(blank_comments_and_strings("a // b\nc"), "a     \nc");
  EXPECT_EQ(blank_comments_and_strings("a /* b\n */ c"), "a     \n    c");
  EXPECT_EQ(blank_comments_and_strings(R"(f("x\"y", 'z'))"), "f(      ,    )");
  EXPECT_EQ(blank_comments_and_strings("1'000 + f('a')"), "1'000 + f(   )");
  EXPECT_EQ(blank_comments_and_strings("R\"(a\"b)\"; c"), "R       ; c");
}

TEST(Tidy, TheBraceWalkFindsFunctions) {
  SourceFile file;
  file.path = "x.cc";
  file.code = {"namespace a {",
               "int f(int x) {",
               "  if (x) {",
               "  }",
               "  return x;",
               "}",
               "class B {",
               "  void g() const {}",
               "};",
               "int c[] = {1};",
               "}  // the end"};

  const auto functions = functions_of(file);

  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[0].first_line, 1u);
  EXPECT_EQ(functions[0].line_count, 5u);
  EXPECT_EQ(functions[1].line_count, 1u);
}

}  // namespace
}  // namespace ringway::test
