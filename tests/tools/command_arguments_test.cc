#include "tools/command_arguments.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Words = std::vector<std::string>;

Result<CommandArguments> parse(const Words& words) {
  return parse_command_arguments(words, "ringway server CONFIG");
}

std::string error_of(const Words& words) {
  const auto arguments = parse(words);
  return arguments ? "(accepted)" : arguments.error().to_string();
}

TEST(CommandArguments, TakesAConfigurationAndItsOptions) {
  const auto arguments =
      parse({"a.conf", "--port", "1195", "--push", "route 10.0.0.0 255.0.0.0", "--float"});

  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->config_path, "a.conf");
  EXPECT_EQ(arguments->options, (Words{"port 1195", "push \"route 10.0.0.0 255.0.0.0\"", "float"}));
  EXPECT_FALSE(arguments->print_config);
}

/// How Debian's openvpn-server@.service and older units call OpenVPN.
TEST(CommandArguments, TakesOpenVpnsOwnCommandLine) {
  const auto unit = parse({"--status", "/run/s.log", "--status-version", "2",
                           "--suppress-timestamps", "--config", "a.conf"});
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->config_path, "a.conf");
  EXPECT_EQ(unit->options, (Words{"status /run/s.log", "status-version 2", "suppress-timestamps"}));

  const auto older = parse({"--daemon", "ovpn-a", "--cd", "/etc/openvpn", "--config", "a.conf"});
  ASSERT_TRUE(older);
  EXPECT_EQ(older->options, (Words{"daemon ovpn-a", "cd /etc/openvpn"}));
}

TEST(CommandArguments, TakesParametersThatLookOdd) {
  const auto arguments =
      parse({"a.conf", "--ca", "", "--cd", "-", "--push", "a \"b\"", "--local", "*"});

  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->options, (Words{"ca \"\"", "cd -", R"(push "a \"b\"")", "local *"}));
}

TEST(CommandArguments, PrintsTheConfigurationOnRequest) {
  for (const Words& words : {Words{"a.conf", "--print-config"}, Words{"--print-config", "a.conf"},
                             Words{"--config", "a.conf", "--print-config", "--verb", "1"}}) {
    const auto arguments = parse(words);
    ASSERT_TRUE(arguments);
    EXPECT_TRUE(arguments->print_config);
    EXPECT_EQ(arguments->config_path, "a.conf");
  }
}

TEST(CommandArguments, NeedsExactlyOneConfiguration) {
  const std::string none =
      "command line: no configuration is named — write `ringway server CONFIG [--option parameter "
      "...]`";
  EXPECT_EQ(error_of({}), none);
  EXPECT_EQ(error_of({"--port", "1"}), none);
  EXPECT_EQ(error_of({"--config"}), "--config: names no file — write `ringway server CONFIG`");
  for (const Words& words :
       {Words{"a.conf", "b.conf"}, Words{"a.conf", "--config", "b.conf"},
        Words{"--config", "a.conf", "b.conf"}, Words{"--config", "a.conf", "--config", "b.conf"},
        Words{"a.conf", "--print-config", "b.conf"}}) {
    EXPECT_NE(error_of(words).find("`b.conf` is one file too many"), std::string::npos);
  }
  EXPECT_FALSE(parse({""}));
}

}  // namespace
}  // namespace ringway
