#include "dataplane/martian.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

// Security goal C05.
TEST(IsMartian, HoldsForWhatMeansNothingBeyondALink) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "169.254.0.0",
                           "169.254.255.255", "224.0.0.1", "239.255.255.250", "255.255.255.255",
                           "::", "::1", "::10.8.0.2", "fe80::1", "febf::1", "ff02::2", "ff0e::1"}) {
    EXPECT_TRUE(is_martian(IpAddress::parse(text).value())) << text;
  }
}

TEST(IsMartian, SparesTheNeighboursOfEachRange) {
  for (const char* text :
       {"1.0.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
        "223.255.255.255", "240.0.0.1", "255.255.255.254", "10.8.0.2",
        "0:0:0:0:0:1::", "64:ff9b::1", "2001:db8::1", "fd00::2", "fe7f::1", "fec0::1"}) {
    EXPECT_FALSE(is_martian(IpAddress::parse(text).value())) << text;
  }
}

}  // namespace
}  // namespace ringway
