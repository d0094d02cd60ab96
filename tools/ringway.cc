#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "control/aead_start.h"
#include "control/channel/tls_context.h"
#include "control/probe_report.h"
#include "tools/check_command.h"
#include "tools/client_command.h"
#include "tools/command_arguments.h"
#include "tools/genkey_command.h"
#include "tools/pki_command.h"
#include "tools/probe_command.h"
#include "tools/profile_command.h"
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

/// A command whose words are in OpenVPN's spelling, which CLI11 does not know.
CLI::App* add_command(CLI::App& app, const char* name, const char* text, bool& wants_help) {
  CLI::App* command = app.add_subcommand(name, text);
  command->prefix_command();
  command->set_help_flag();
  command->add_flag("-h,--help", wants_help, "Lists the options.");
  return command;
}

}  // namespace

/// The table of commands. Each is run with the words behind its name.
// What CLI11 throws is caught below; want of memory may end the process.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  ringway::wipe_what_openssl_frees();
  CLI::App app("An OpenVPN-compatible VPN concentrator.", "ringway");
  app.set_version_flag("--version", version_text());
  // Our own message for what is no command, below.
  app.allow_extras();
  app.footer(
      "`ringway server --help` and `ringway client --help` list the options of a configuration, "
      "`ringway probe --help` how to ask.");

  bool wants_server_help = false;
  CLI::App* server = add_command(app, "server", "Run a server.", wants_server_help);
  bool wants_client_help = false;
  CLI::App* client = add_command(app, "client", "Connect to a server.", wants_client_help);
  bool wants_check_help = false;
  CLI::App* check =
      add_command(app, "check", "Explain a configuration or a profile.", wants_check_help);

  ringway::ProbeArguments probe_arguments;
  CLI::App* probe = app.add_subcommand("probe", "Say how each address of a server answers.");
  ringway::add_probe_options(*probe, probe_arguments);

  const ringway::GenkeyCommand genkey(app);
  const ringway::PkiCommand pki(app);
  const ringway::ProfileCommand profile(app);

  // CLI11 reports by exception, and this is the only place where one can occur.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int failure = probe->parsed() ? ringway::ProbeReport::kNotAsked : 1;
    return app.exit(error) == 0 ? 0 : failure;
  }
  const std::vector<std::string> strange_words = app.remaining();
  const bool has_command = server->parsed() || client->parsed() || check->parsed() ||
                           probe->parsed() || genkey.is_asked_for() || pki.is_asked_for() ||
                           profile.is_asked_for();
  if (!strange_words.empty() || !has_command) {
    return ringway::exit_status_of(ringway::fail(
        strange_words.empty() ? "no command is given"
                              : fmt::format("`{}` is no command", strange_words.front()),
        "command line",
        "write `ringway server CONFIG`, `ringway client PROFILE.ovpn`, `ringway check CONFIG`, "
        "`ringway probe HOST` or "
        "`ringway --help`"));
  }
  if (wants_server_help) {
    fmt::print("{}", ringway::server_command_help());
    return 0;
  }
  if (wants_client_help) {
    fmt::print("{}", ringway::client_command_help());
    return 0;
  }
  if (genkey.is_asked_for()) return genkey.run();
  if (pki.is_asked_for()) return pki.run();
  if (profile.is_asked_for()) return profile.run();
  if (probe->parsed()) return ringway::run_probe_command(probe_arguments);
  if (wants_check_help) {
    fmt::print("{}", ringway::check_command_help());
    return 0;
  }
  if (check->parsed()) return ringway::run_check_command(check->remaining());
  if (client->parsed()) return ringway::run_client_command(client->remaining());
  return ringway::run_server_command(server->remaining());
}
