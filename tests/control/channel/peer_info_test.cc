#include "control/channel/peer_info.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace ringway {
namespace {

PeerInfo captured(const char* id) {
  return PeerInfo::parse(
      test::load_vector(id).json().at("client_strings")[3].get<std::string>().c_str());
}

TEST(PeerInfo, ReadsWhatStockClientsSay) {
  struct Row {
    const char* id;
    const char* version;
    std::uint32_t proto;
    std::size_t lines;
  };
  for (const Row& row :
       {Row{"key-method-2-2.4.12", "2.4.12", 2, 9}, Row{"key-method-2-2.5.11", "2.5.11", 6, 11},
        Row{"key-method-2-2.6.14", "2.6.14", 990, 12},
        Row{"key-method-2-2.7.6", "2.7.6", 8094, 10}}) {
    SCOPED_TRACE(row.id);
    const PeerInfo info = captured(row.id);
    EXPECT_EQ(info.find("IV_VER"), row.version);
    EXPECT_EQ(info.proto(), row.proto);
    EXPECT_EQ(info.lines().size(), row.lines);
  }
  EXPECT_TRUE(captured("key-method-2-2.6.14").has(ProtoBit::TlsKeyExport));
  EXPECT_FALSE(captured("key-method-2-2.5.11").has(ProtoBit::TlsKeyExport));
  EXPECT_TRUE(captured("key-method-2-2.4.12").has(ProtoBit::DataV2));
}

TEST(PeerInfo, RoundTripsThroughItsText) {
  const PeerInfo info = captured("key-method-2-2.6.14");
  EXPECT_EQ(PeerInfo::parse(info.to_string()).lines(), info.lines());
}

TEST(PeerInfo, KeepsUnknownNamesAndSkipsWhatIsNoLine) {
  const PeerInfo info = PeerInfo::parse("X_NEW=1\nno equals\n=no name\n\nUV_A==b=\r\nlast=2");
  ASSERT_EQ(info.lines().size(), 3u);
  EXPECT_EQ(info.find("X_NEW"), "1");
  EXPECT_EQ(info.find("UV_A"), "=b=");
  EXPECT_EQ(info.find("last"), "2");
  EXPECT_EQ(info.find("none"), std::nullopt);
}

TEST(PeerInfo, TakesTheFirstOfTwoLinesAndReplacesWhatIsSet) {
  PeerInfo info = PeerInfo::parse("A=1\nA=2\n");
  EXPECT_EQ(info.find("A"), "1");
  info.set("A", "3");
  info.set("B", "4");
  EXPECT_EQ(info.find("A"), "3");
  EXPECT_EQ(info.find("B"), "4");
}

// Security goals B16 and B19.
TEST(PeerInfo, BoundsLinesAndTheirLengthAndCleansThem) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "N" + std::to_string(i) + "=x\n";
  EXPECT_EQ(PeerInfo::parse(text).lines().size(), PeerInfo::kLinesMax);

  const PeerInfo info = PeerInfo::parse("L=" + std::string(1000, 'x') + "\nE=\x1b[2J\x7f\n");
  EXPECT_EQ(info.find("L")->size(), 253u);
  EXPECT_EQ(info.find("E"), "_[2J_");
}

TEST(PeerInfo, TakesAnUnreadableProtoForNone) {
  for (const char* text : {"", "IV_PROTO=\n", "IV_PROTO=-1\n", "IV_PROTO=0x3de\n",
                           "IV_PROTO=99999999999\n", "IV_PROTO=12 \n"}) {
    EXPECT_EQ(PeerInfo::parse(text).proto(), 0u) << text;
  }
}

}  // namespace
}  // namespace ringway
