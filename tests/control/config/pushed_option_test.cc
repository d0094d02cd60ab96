#include "control/config/pushed_option.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

std::string check(const std::string& option) {
  const ConfigLine line{.words = {"push", option}, .inline_text = std::nullopt, .where = "f:1"};
  const auto checked = check_pushed_option(line, option);
  return checked ? "" : checked.error().to_string();
}

TEST(PushedOption, MayBeWhatClientsTake) {
  for (const char* option : {"route 10.0.0.0 255.0.0.0", "topology subnet", "compress stub-v2",
                             "ping 10", "block-ipv6", "comp-lzo no"}) {
    EXPECT_EQ(check(option), "") << option;
  }
}

TEST(PushedOption, IsNotWhatTheServerKnowsBetter) {
  for (const char* option :
       {"ifconfig 10.8.0.2 255.255.255.0", "peer-id 5", "cipher AES-128-CBC", "topology net30",
        "fragment 1300", "", "route 10.0.0.0,route 10.1.0.0"}) {
    EXPECT_TRUE(check(option).starts_with("f:1: `push")) << option << ": " << check(option);
  }
}

// C07, also where it is written so that only a client reads it as that.
TEST(PushedOption, IsCompressionButForTheStub) {
  for (const char* option :
       {"comp-lzo", "comp-lzo no", "compress", "compress lz4-v2", "compress stub", " comp-lzo",
        "\tcompress lz4", "'comp-lzo' yes", "\"compress\" lz4", "comp\\-lzo", "--comp-lzo"}) {
    EXPECT_TRUE(is_compression(option)) << option;
  }
  EXPECT_FALSE(is_compression("compress stub-v2"));
  EXPECT_FALSE(is_compression("route 10.0.0.0"));
}

}  // namespace
}  // namespace ringway
