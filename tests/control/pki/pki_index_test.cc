#include "control/pki/pki_index.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr const char* kSample =
    "V\t281130120000Z\t\t4A0102\tunknown\t/CN=server\n"
    "R\t281130120000Z\t261130120000Z\t4A0103\tunknown\t/C=DE/CN=alice/emailAddress=a@example.org\n"
    "R\t20601130120000Z\t261130120000Z,keyCompromise\t4A0104\tunknown\t/CN=bob\n"
    "E\t201130120000Z\t\t4A0105\tunknown\t/CN=old\n";

TEST(PkiIndex, ReadsAndWritesWhatOpenSslDoes) {
  const auto entries = parse_index(kSample, "index.txt");
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 4u);
  EXPECT_EQ((*entries)[0].state, IndexEntry::State::Valid);
  EXPECT_EQ((*entries)[0].expires.seconds, 1'859'198'400);
  EXPECT_EQ((*entries)[1].state, IndexEntry::State::Revoked);
  EXPECT_EQ((*entries)[1].revoked_at.seconds, 1'796'040'000);
  EXPECT_EQ((*entries)[2].reason, "keyCompromise");
  EXPECT_EQ(common_name_in((*entries)[1].subject), "alice");
  EXPECT_EQ(index_text(*entries), kSample);
}

TEST(PkiIndex, NamesTheLineThatIsNone) {
  for (const char* line :
       {"V", "X\t281130120000Z\t\t4A\tunknown\t/CN=a", "V\t2811301200Z\t\t4A\tunknown\t/CN=a",
        "V\t281130120000Z\t\t4a\tunknown\t/CN=a", "V\t281130120000Z\t\t\tunknown\t/CN=a",
        "R\t281130120000Z\t\t4A\tunknown\t/CN=a", "V\t281130120000Z\t\t4A\tunknown"}) {
    const auto entries =
        parse_index(std::string("V\t281130120000Z\t\t4A\tunknown\t/CN=a\n") + line, "index.txt");
    ASSERT_FALSE(entries.has_value()) << line;
    EXPECT_EQ(entries.error().where, "index.txt:2");
  }
}

TEST(PkiIndex, FindsTheCommonNameInASubject) {
  EXPECT_EQ(common_name_in("/CN=a"), "a");
  EXPECT_EQ(common_name_in("/O=x/CN=vpn.example.com"), "vpn.example.com");
  EXPECT_EQ(common_name_in("/O=x"), "");
  EXPECT_EQ(common_name_in(""), "");
}

TEST(PkiIndex, WritesFourDigitsOfTheYearFrom2050On) {
  EXPECT_EQ(index_time({2'524'607'999}), "491231235959Z");
  EXPECT_EQ(index_time({2'524'608'000}), "20500101000000Z");
  EXPECT_EQ(parse_index_time("20500101000000Z")->seconds, 2'524'608'000);
  EXPECT_EQ(parse_index_time("991231235959Z")->seconds, 946'684'799);
}

TEST(PkiIndex, ReadsTheTimesThatItWrites) {
  for (const char* text : {"500101000000Z", "491231235959Z", "19491231235959Z", "20500101000000Z",
                           "00050101000000Z", "99991231235959Z"}) {
    const auto time = parse_index_time(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(index_time(*time), text);
  }
}

TEST(PkiIndex, TakesNoTimeThatIsNone) {
  for (const char* text : {"261330235959Z", "260030235959Z", "261100235959Z", "261132235959Z",
                           "261130245959Z", "261130236059Z", "99991231235960Z"}) {
    EXPECT_FALSE(parse_index_time(text)) << text;
  }
}

}  // namespace
}  // namespace ringway
