#include "control/tls_setup.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(TlsSetup, NamesTheWrapKeyThatCannotBeUsed) {
  WrapConfig config{.mode = WrapMode::TlsCrypt};
  config.key = {.path = "ta.key", .text = "no key", .where = "server.conf:12"};

  const Result<TlsWrap> wrap = make_tls_wrap(Side::Server, config);

  ASSERT_FALSE(wrap);
  EXPECT_NE(wrap.error().to_string().find("server.conf:12: ta.key"), std::string::npos);
}

TEST(TlsSetup, WrapsNothingWithoutAKey) {
  const Result<TlsWrap> wrap = make_tls_wrap(Side::Client, {});

  ASSERT_TRUE(wrap);
  EXPECT_FALSE(wrap->is_protected());
}

}  // namespace
}  // namespace ringway
