#include "control/config/config_lexer.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view line) {
  const auto words = split_config_words(line, "here");
  return words ? *words : Words{"error: " + words.error().what};
}

struct Split {
  std::string_view line;
  Words words;
};

TEST(ConfigLexer, SplitsWordsAsOpenVpnDoes) {
  const Split cases[] = {
      {"", {}},
      {"   \t ", {}},
      {"# comment", {}},
      {"  ; comment", {}},
      {"port 1194", {"port", "1194"}},
      {"\tport\t 1194  ", {"port", "1194"}},
      {"--port 1194", {"port", "1194"}},
      {"port 1194 # comment", {"port", "1194"}},
      {"port 1194 ;comment", {"port", "1194"}},
      {"ca a#b;c", {"ca", "a#b;c"}},
      {R"(push "route 10.0.0.0")", {"push", "route 10.0.0.0"}},
      {R"(push 'a "b" \n')", {"push", R"(a "b" \n)"}},
      {R"(push "a \"b\" \\ ")", {"push", R"(a "b" \ )"}},
      {R"(ca a\ b)", {"ca", "a b"}},
      {R"(ca "" x)", {"ca", "", "x"}},
      // A quotation mark within a word is an ordinary character, and a closing one ends the word.
      {R"(ca a"b)", {"ca", "a\"b"}},
      {R"(ca 'a'b)", {"ca", "a", "b"}},
      {R"(ca "#x" "a;b")", {"ca", "#x", "a;b"}},
      {"ca \xc3\xa4.crt", {"ca", "\xc3\xa4.crt"}},
  };
  for (const Split& split : cases) EXPECT_EQ(words_of(split.line), split.words) << split.line;
}

TEST(ConfigLexer, RefusesLinesThatCannotBeMeant) {
  const std::string_view cases[] = {
      R"(ca "a)",    R"(ca 'a)", R"(ca a\b)",
      R"(ca "a\b")", R"(ca a\)", std::string_view("ca a\0b", 6),
      "ca a\x01",    "ca a\x7f", "ca a\vb",
      R"("" x)",     "-- x",     "a b c d e f g h i j k l m n o p q",
  };
  for (const std::string_view line : cases) {
    const auto words = split_config_words(line, "here");
    ASSERT_FALSE(words) << line;
    EXPECT_EQ(words.error().where, "here");
    EXPECT_FALSE(words.error().advice.empty()) << line;
  }
}

TEST(ConfigLexer, LimitsTheSizeOfWordsAndLines) {
  const std::string longest(kConfigWordSizeMax, 'x');
  EXPECT_TRUE(split_config_words(longest, "here"));
  EXPECT_FALSE(split_config_words(longest + "x", "here"));

  const std::string line = std::string(kConfigLineSizeMax - 3, ' ') + "dev";
  EXPECT_TRUE(lex_config(line, "f"));
  EXPECT_FALSE(lex_config(" " + line, "f"));
}

TEST(ConfigLexer, LimitsTheSizeOfFilesAndTheirOptions) {
  EXPECT_TRUE(lex_config(std::string(kConfigFileSizeMax, '\n'), "f"));
  EXPECT_FALSE(lex_config(std::string(kConfigFileSizeMax + 1, '\n'), "f"));

  std::string options;
  for (std::size_t i = 0; i < kConfigLineCountMax; ++i) options += "float\n";
  EXPECT_TRUE(lex_config(options, "f"));
  EXPECT_FALSE(lex_config(options + "float\n", "f"));
}

TEST(ConfigLexer, CountsLinesAndSkipsTheByteOrderMark) {
  const auto lines = lex_config(
      "\xef\xbb\xbf"
      "dev tun\r\n\r\n# c\r\nport 1\r\n",
      "a.conf");

  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ((*lines)[0].words, (Words{"dev", "tun"}));
  EXPECT_EQ((*lines)[0].where, "a.conf:1");
  EXPECT_EQ((*lines)[1].words, (Words{"port", "1"}));
  EXPECT_EQ((*lines)[1].where, "a.conf:4");
}

TEST(ConfigLexer, TakesInlineBlocksVerbatim) {
  const auto lines = lex_config(
      "  <ca> \n# not a comment\n\n  \"odd\\x\n <cert>\n\t</ca>rest\nport "
      "1\n<tls-auth>\n</tls-auth>",
      "a.conf");

  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_EQ((*lines)[0].name(), "ca");
  EXPECT_EQ((*lines)[0].inline_text, "# not a comment\n\n  \"odd\\x\n <cert>\n");
  EXPECT_EQ((*lines)[0].where, "a.conf:1");
  EXPECT_EQ((*lines)[1].where, "a.conf:7");
  EXPECT_FALSE((*lines)[1].inline_text);
  EXPECT_EQ((*lines)[2].inline_text, "");
}

TEST(ConfigLexer, RefusesABlockWithoutEnd) {
  const auto lines = lex_config("<ca>\nx\n</cert>\n", "a.conf");

  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().to_string(),
            "a.conf:1: the block <ca> has no end — write </ca> on a line of its own after it");
}

TEST(ConfigLexer, TakesOnlyAWholeLineInBracketsForABlock) {
  const auto lines = lex_config("<ca>x\n<CA>\n<>\n</ca>\n< ca>\n", "a.conf");

  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 5u);
  for (const ConfigLine& line : *lines) EXPECT_FALSE(line.inline_text) << line.name();
}

TEST(ConfigLexer, PlacesOptionsOfTheCommandLineByTheirName) {
  const auto line = lex_command_line_option("push \"route 10.0.0.0\"");

  ASSERT_TRUE(line);
  EXPECT_EQ(line->words, (Words{"push", "route 10.0.0.0"}));
  EXPECT_EQ(line->where, "--push");
  EXPECT_TRUE(line->from_command_line);
  EXPECT_FALSE(lex_command_line_option(""));
  EXPECT_FALSE(lex_command_line_option("# x"));
  EXPECT_FALSE(lex_command_line_option("push \"x"));
}

TEST(ConfigLexer, ReadsBackWhatItQuotes) {
  const std::string words[] = {"plain", "",     "a b", "a\"b", "a\\b",  "'a'", "#a",   "a;b",
                               "\\",    "a\tb", "\"",  "<ca>", "a\\ b", "--x", "\\\"", "\xc3\xa4"};
  for (const std::string& word : words) {
    EXPECT_EQ(words_of("x " + quote_config_word(word)), (Words{"x", word})) << word;
  }
}

}  // namespace
}  // namespace ringway
