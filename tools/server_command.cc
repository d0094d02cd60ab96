#include "tools/server_command.h"

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/log.h"
#include "base/time.h"
#include "control/config/config_files.h"
#include "control/config/config_parser.h"
#include "control/config/option_table.h"
#include "control/config/push_reload.h"
#include "control/server.h"
#include "control/tls_setup.h"
#include "tools/command_arguments.h"
#include "tools/working_directory.h"

namespace ringway {
namespace {

/// Relative names are those of `directory`; empty: of the working directory.
Result<ServerConfig> read_config(const CommandArguments& arguments,
                                 const std::filesystem::path& directory = {}) {
  const FileReader read = [&](const std::string& name) {
    return read_text_file((directory / name).string());
  };
  const Result<std::string> text = read(arguments.config_path);
  if (!text) {
    return fail(text.error().what, "", "name a configuration file that can be read");
  }
  return parse_server_config(*text, arguments.config_path, arguments.options, read);
}

/// What can be said of the files without starting anything.
Result<void> check_material(const ServerConfig& config) {
  log::open({.verb = config.verb});
  if (const Result<TlsContext> tls = make_tls_context(Side::Server, config.tls, wall_now()); !tls) {
    return std::unexpected(tls.error());
  }
  if (const Result<TlsWrap> wrap = make_tls_wrap(Side::Server, config.wrap); !wrap) {
    return std::unexpected(wrap.error());
  }
  return {};
}

Result<void> run(std::span<const std::string> words) {
  const Result<CommandArguments> arguments =
      parse_command_arguments(words, "ringway server CONFIG");
  if (!arguments) return std::unexpected(arguments.error());
  Result<ServerConfig> config = read_config(*arguments);
  if (!config) return std::unexpected(config.error());
  // `cd` comes between.
  std::error_code unknown;
  const std::filesystem::path started_in = std::filesystem::current_path(unknown);
  const PushReload reload(*config, [&] { return read_config(*arguments, started_in); });
  if (auto entered = enter_working_directory(config->working_directory); !entered) return entered;
  if (auto loaded = load_files(*config); !loaded) return loaded;
  if (arguments->print_config) {
    if (auto checked = check_material(*config); !checked) return checked;
    const std::string text = print_config(*config);
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
      return fail("cannot write the configuration", "standard output",
                  "see that there is room where it goes");
    }
    return {};
  }
  return run_server(std::move(*config), reload);
}

}  // namespace

int run_server_command(std::span<const std::string> words) { return exit_status_of(run(words)); }

std::string server_command_help() {
  return "Usage: ringway server CONFIG [--option parameter ...]\n"
         "\n"
         "Reads OpenVPN's server configuration. Options of the configuration may follow its name, "
         "in\n"
         "OpenVPN's spelling; they win over the file. Two options are for the command line alone:\n"
         "\n"
         "  --config FILE\n"
         "        The configuration, as OpenVPN's own command line names it.\n"
         "  --print-config\n"
         "        Reads and checks everything, prints the outcome, and exits without starting.\n" +
         option_help() +
         "\nEvery other option of OpenVPN 2.4 to 2.7 is known by name, too: docs/CONFIG.md says "
         "which\n"
         "have no effect and why, and which are refused and what to write instead.\n";
}

}  // namespace ringway
