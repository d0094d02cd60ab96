#include "tools/client_command.h"

#include "control/client_shell.h"
#include "control/config/config_files.h"
#include "control/config/option_table.h"
#include "control/config/profile_parser.h"
#include "tools/command_arguments.h"
#include "tools/working_directory.h"

namespace ringway {
namespace {

Result<void> run(std::span<const std::string> words) {
  const Result<CommandArguments> arguments =
      parse_command_arguments(words, "ringway client PROFILE.ovpn");
  if (!arguments) return std::unexpected(arguments.error());
  if (arguments->print_config) {
    return fail("a profile is not printed", "--print-config", "leave the option out");
  }
  const Result<std::string> text = read_text_file(arguments->config_path);
  if (!text) return fail(text.error().what, "", "name a profile that can be read");
  Result<ClientConfig> config =
      parse_client_profile(*text, arguments->config_path, arguments->options, read_text_file);
  if (!config) return std::unexpected(config.error());
  if (auto entered = enter_working_directory(config->working_directory); !entered) return entered;
  if (auto loaded = load_files(*config); !loaded) return loaded;
  return run_client(std::move(*config));
}

}  // namespace

int run_client_command(std::span<const std::string> words) { return exit_status_of(run(words)); }

std::string client_command_help() {
  return "Usage: ringway client PROFILE.ovpn [--option parameter ...]\n"
         "\n"
         "Reads OpenVPN's client profile and connects to its server. Options of the profile may\n"
         "follow its name, in OpenVPN's spelling; they win over the file.\n" +
         option_help(ConfigKind::Client) +
         "\nOther options of OpenVPN 2.4 to 2.7 are known by name, too: docs/CLIENT.md says which "
         "have\n"
         "no effect and why, and which are refused and what to write instead.\n";
}

}  // namespace ringway
