#include "control/channel/openssl_handles.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace ringway {
namespace {

TEST(OpensslErrors, AreToldOldestFirstAndThenGone) {
  ERR_clear_error();
  EXPECT_EQ(openssl::take_errors(), "");
  ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
  ERR_raise(ERR_LIB_PEM, PEM_R_BAD_BASE64_DECODE);
  EXPECT_EQ(openssl::take_errors(), "no start line; bad base64 decode");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(OpensslText, IsReadAsItStands) {
  const auto bio = openssl::open_text("ab");
  char text[3] = {};
  EXPECT_EQ(BIO_read(bio.get(), text, 3), 2);
  EXPECT_STREQ(text, "ab");
}

}  // namespace
}  // namespace ringway
