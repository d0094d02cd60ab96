#include "control/programs/program_wire.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

ProgramRequest full_request() {
  return {.id = 7,
          .lane = "client alice",
          .words = {"/bin/true", "a b"},
          .environment = {"A=1", "B="},
          .files = {{.variable = "auth_control_file", .prefix = "acf", .content = "x"},
                    {.variable = "", .prefix = "up", .content = "", .is_argument = true}},
          .deferral = Deferral::ByFile,
          .files_of = 3,
          .is_privileged = true,
          .is_news = true};
}

TEST(ProgramWire, BringsARequestOver) {
  const auto decoded = decode_request(encode(HelperRequest(full_request())));
  ASSERT_TRUE(decoded);
  const auto& request = std::get<ProgramRequest>(*decoded);

  EXPECT_EQ(request.id, 7u);
  EXPECT_EQ(request.lane, "client alice");
  EXPECT_EQ(request.words, (std::vector<std::string>{"/bin/true", "a b"}));
  EXPECT_EQ(request.environment, (std::vector<std::string>{"A=1", "B="}));
  ASSERT_EQ(request.files.size(), 2u);
  EXPECT_EQ(request.files[0].content, "x");
  EXPECT_TRUE(request.files[1].is_argument);
  EXPECT_EQ(request.deferral, Deferral::ByFile);
  EXPECT_EQ(request.files_of, 3u);
  EXPECT_TRUE(request.is_privileged);
  EXPECT_TRUE(request.is_news);
}

TEST(ProgramWire, BringsReportsOver) {
  const auto end = decode_report(encode(
      HelperReport(ProgramEnd{.id = 9,
                              .status = -1,
                              .output = "killed",
                              .files = {{.variable = "v", .prefix = "p", .content = "text"}}})));
  ASSERT_TRUE(end);
  EXPECT_EQ(std::get<ProgramEnd>(*end).status, -1);
  EXPECT_EQ(std::get<ProgramEnd>(*end).files.at(0).content, "text");

  const auto read = decode_report(
      encode(HelperReport(FileRead{.id = 2, .text = "t", .where = "w", .fault = ""})));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<FileRead>(*read).text, "t");
  const auto deferred =
      decode_report(encode(HelperReport(ProgramDeferred{.id = 4, .notice = "60"})));
  ASSERT_TRUE(deferred);
  EXPECT_EQ(std::get<ProgramDeferred>(*deferred).notice, "60");
  const auto opened = decode_report(encode(HelperReport(FileOpened{.file = {}, .error = 13})));
  ASSERT_TRUE(opened);
  EXPECT_EQ(std::get<FileOpened>(*opened).error, 13);
  const auto restarted = decode_report(encode(HelperReport(HelperRestarted{})));
  ASSERT_TRUE(restarted);
  EXPECT_TRUE(std::holds_alternative<HelperRestarted>(*restarted));
}

TEST(ProgramWire, TakesNoMessageThatIsCutShort) {
  const std::vector<std::uint8_t> whole = encode(HelperRequest(full_request()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_request(Bytes(whole).first(size))) << size;
    EXPECT_FALSE(decode_report(Bytes(whole).first(size))) << size;
  }
  std::vector<std::uint8_t> longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(decode_request(longer));
}

TEST(ProgramWire, MakesNoMessageThatIsTooLarge) {
  ProgramRequest request;
  request.environment.emplace_back(kHelperMessageMax, 'x');
  EXPECT_TRUE(encode(HelperRequest(request)).empty());
}

}  // namespace
}  // namespace ringway
