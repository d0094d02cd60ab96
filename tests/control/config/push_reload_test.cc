#include "control/config/push_reload.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/config/config_parser.h"

namespace ringway {
namespace {

Result<ServerConfig> parse(const std::string& more) {
  return parse_server_config(
      "ca ca.crt\ncert s.crt\nkey s.key\ndh none\ndev tun\nserver 10.8.0.0 255.255.255.0\n" + more,
      "server.conf", {}, [](const std::string&) { return fail("no file"); });
}

PushReload reload(const std::string& before, const std::string& after) {
  const Result<ServerConfig> running = parse(before);
  EXPECT_TRUE(running) << running.error().to_string();
  return PushReload(*running, [after] { return parse(after); });
}

TEST(PushReload, GivesWhatIsPushedNow) {
  const auto before = parse("push \"block-ipv6\"\n");
  const auto pushes = reload("push \"block-ipv6\"\n", "push \"block-outside-dns\"\n").pushes();
  ASSERT_TRUE(pushes) << pushes.error().to_string();
  std::vector<std::string> wanted = before->push;
  std::ranges::replace(wanted, std::string("block-ipv6"), std::string("block-outside-dns"));
  EXPECT_EQ(*pushes, wanted);
}

TEST(PushReload, TakesNothingWhereMoreHasChanged) {
  const auto pushes = reload("", "push \"block-ipv6\"\nmax-clients 7\n").pushes();
  ASSERT_FALSE(pushes);
  EXPECT_NE(pushes.error().what.find("`max-clients 7` is new"), std::string::npos)
      << pushes.error().what;
}

TEST(PushReload, NamesWhatHasGone) {
  const auto pushes = reload("writepid /run/pid\n", "").pushes();
  ASSERT_FALSE(pushes);
  EXPECT_NE(pushes.error().what.find("`writepid /run/pid` has gone"), std::string::npos)
      << pushes.error().what;
}

TEST(PushReload, SaysWhatIsWrongWithTheConfiguration) {
  const auto pushes = reload("", "max-clients many\n").pushes();
  ASSERT_FALSE(pushes);
  EXPECT_EQ(pushes.error().where, "server.conf:7");
}

}  // namespace
}  // namespace ringway
