#include <gtest/gtest.h>

#include <sstream>

#include "tests/control/config/config_support.h"

/// samples/errors.txt holds one refusal a paragraph: the lines of a configuration, each after "| ",
/// and the message after "> ". The lines that a server cannot do without are added, but for those
/// that the paragraph gives itself.
namespace ringway {
namespace {

struct Refusal {
  std::string lines;
  std::string message;
};

std::string first_word(const std::string& line) { return line.substr(0, line.find(' ')); }

std::vector<Refusal> parse_refusals(const std::string& text) {
  std::vector<Refusal> refusals;
  std::istringstream stream(text);
  Refusal refusal;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("| ")) refusal.lines += line.substr(2) + "\n";
    if (line.starts_with("> ")) {
      refusal.message = line.substr(2);
      refusals.push_back(std::exchange(refusal, {}));
    }
  }
  return refusals;
}

std::string message_for(const std::string& lines) {
  const std::string name = first_word(lines.substr(0, lines.find('\n')));
  std::string text = lines;
  std::istringstream required(kRequiredLines);
  for (std::string line; std::getline(required, line);) {
    if (first_word(line) != name) text += line + "\n";
  }
  return error_of(parse_server_config(text, "server.conf", {}, no_such_file));
}

TEST(ConfigErrors, SayFileLineReasonAndWhatToWriteInstead) {
  const std::string path = test_folder() + "samples/errors.txt";
  const std::vector<Refusal> refusals = parse_refusals(text_of_file(path));
  ASSERT_GT(refusals.size(), 150u);

  std::string updated;
  for (const Refusal& refusal : refusals) {
    const std::string message = message_for(refusal.lines);
    EXPECT_EQ(message, refusal.message) << refusal.lines;
    EXPECT_TRUE(message.starts_with("server.conf")) << message;
    EXPECT_NE(message.find(" — "), std::string::npos) << message;

    std::istringstream lines(refusal.lines);
    for (std::string line; std::getline(lines, line);) updated += "| " + line + "\n";
    updated += "> " + message + "\n\n";
  }
  if (updates_golden()) golden(path, updated);
}

TEST(ConfigErrors, NameTheOptionOfTheCommandLine) {
  EXPECT_EQ(
      error_of(parse_with_required("", {"port 0"})),
      "--port: `port` cannot be `0` — write a port, 1 to 65535, or a range with the lower port "
      "first, as 1194-1203 instead");
  EXPECT_EQ(error_of(parse_with_required("", {"prot 1"})),
            "--prot: unknown option `prot` — write `proto`, if that is meant");
  EXPECT_EQ(error_of(parse_with_required("", {""})),
            "command line: an empty option — write --name value");
}

TEST(ConfigErrors, SayWhichRequiredLineIsMissing) {
  const auto without = [](const std::string& name) {
    std::string text;
    std::istringstream required(kRequiredLines);
    for (std::string line; std::getline(required, line);) {
      if (first_word(line) != name) text += line + "\n";
    }
    return error_of(parse_server_config(text, "server.conf", {}, no_such_file));
  };

  EXPECT_EQ(without("ca"),
            "server.conf: `ca` is missing: the authority that signs clients — write `ca FILE`, or "
            "<ca>...</ca>");
  EXPECT_EQ(without("cert"),
            "server.conf: `cert` is missing: the server's certificate — write `cert FILE`, or "
            "<cert>...</cert>");
  EXPECT_EQ(without("key"),
            "server.conf: `key` is missing: the server's private key — write `key FILE`, or "
            "<key>...</key>");
  EXPECT_EQ(without("server"),
            "server.conf: the network in the tunnel is missing — write `server 10.8.0.0 "
            "255.255.255.0`, `server-ipv6 fd00:8::/64`, or both");
  EXPECT_EQ(without("dev"), "(accepted)");
}

}  // namespace
}  // namespace ringway
