#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "control/aead_start.h"
#include "tools/client_command.h"
#include "tools/command_arguments.h"
#include "tools/server_command.h"

#ifdef RINGWAY_WITH_MIMALLOC
#include <mimalloc.h>
#endif

namespace {

/// Names the allocator that is linked, as a sanitizer brings its own, and the engines of the build.
std::string version_text() {
#ifdef RINGWAY_WITH_MIMALLOC
  const int version = mi_version();
  return fmt::format("ringway {} (mimalloc {}.{}.{}; AEADs by {})", RINGWAY_VERSION, version / 100,
                     version / 10 % 10, version % 10, ringway::built_in_engines());
#else
  return fmt::format("ringway {} (the C library's allocator; AEADs by {})", RINGWAY_VERSION,
                     ringway::built_in_engines());
#endif
}

}  // namespace

/// The table of commands. Each is run with the words behind its name.
// What CLI11 throws is caught below; want of memory may end the process.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app("An OpenVPN-compatible VPN concentrator.", "ringway");
  app.set_version_flag("--version", version_text());
  // Our own message for what is no command, below.
  app.allow_extras();
  app.footer(
      "`ringway server --help` and `ringway client --help` list the options of a configuration.");

  CLI::App* server = app.add_subcommand("server", "Run a server.");
  // What follows is in OpenVPN's spelling, which CLI11 does not know.
  server->prefix_command();
  server->set_help_flag();
  bool wants_server_help = false;
  server->add_flag("-h,--help", wants_server_help, "Lists the options of a configuration.");

  CLI::App* client = app.add_subcommand("client", "Connect to a server.");
  client->prefix_command();
  client->set_help_flag();
  bool wants_client_help = false;
  client->add_flag("-h,--help", wants_client_help, "Lists the options of a profile.");

  // CLI11 reports by exception, and this is the only place where one can occur.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  const std::vector<std::string> strange_words = app.remaining();
  if (!strange_words.empty() || (!server->parsed() && !client->parsed())) {
    return ringway::exit_status_of(ringway::fail(
        strange_words.empty() ? "no command is given"
                              : fmt::format("`{}` is no command", strange_words.front()),
        "command line",
        "write `ringway server CONFIG`, `ringway client PROFILE.ovpn` or `ringway --help`"));
  }
  if (wants_server_help) {
    fmt::print("{}", ringway::server_command_help());
    return 0;
  }
  if (wants_client_help) {
    fmt::print("{}", ringway::client_command_help());
    return 0;
  }
  if (client->parsed()) return ringway::run_client_command(client->remaining());
  return ringway::run_server_command(server->remaining());
}
