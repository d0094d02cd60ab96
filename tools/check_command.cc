#include "tools/check_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/time.h"
#include "control/check/check_report.h"
#include "control/check/inspection.h"
#include "control/config/client_files.h"
#include "control/config/config_files.h"
#include "control/config/config_survey.h"
#include "tools/command_arguments.h"
#include "tools/host_survey.h"
#include "tools/working_directory.h"

namespace ringway {
namespace {

constexpr int kNotChecked = 3;

/// Options for the command line alone; `take` removes one from the words.
struct CheckOptions {
  bool json = false;
  bool no_host = false;
  std::optional<ConfigKind> kind;
};

bool take(std::vector<std::string>& words, std::string_view option) {
  return std::erase(words, option) > 0;
}

Result<CheckReport> check(std::vector<std::string> words, const CheckOptions& options) {
  const Result<CommandArguments> arguments = parse_command_arguments(words, "ringway check CONFIG");
  if (!arguments) return std::unexpected(arguments.error());
  const Result<std::string> text = read_text_file(arguments->config_path);
  if (!text) return fail(text.error().what, "", "name a configuration that can be read");

  const ConfigKind kind = options.kind.value_or(kind_of_config(*text));
  ConfigSurvey survey =
      survey_config(kind, *text, arguments->config_path, arguments->options, read_text_file);
  const Result<void> entered = enter_working_directory(survey.draft.config.working_directory);
  std::vector<Error> unreadable;
  if (!entered) unreadable.push_back(entered.error());
  std::ranges::move(load_all_files(survey.draft), std::back_inserter(unreadable));

  const std::string& directory = survey.draft.config.client_config_directory;
  std::vector<ClientFileText> client_files;
  if (!directory.empty()) {
    Result<std::vector<ClientFileText>> files = read_client_files(directory);
    if (files) client_files = std::move(*files);
    if (!files) {
      unreadable.push_back(
          fail(files.error().what, survey.draft.place_of("client-config-dir"), files.error().advice)
              .error());
    }
  }

  std::optional<HostFacts> host;
  if (!options.no_host) host = survey_host(survey);
  return CheckReport{.source = arguments->config_path,
                     .kind = kind,
                     .findings = inspect({.survey = survey,
                                          .unreadable = unreadable,
                                          .host = host ? &*host : nullptr,
                                          .now = wall_now(),
                                          .client_files = &client_files})};
}

}  // namespace

int run_check_command(std::span<const std::string> words) {
  std::vector<std::string> rest(words.begin(), words.end());
  CheckOptions options;
  options.json = take(rest, "--json");
  options.no_host = take(rest, "--no-host");
  if (take(rest, "--client")) options.kind = ConfigKind::Client;
  if (take(rest, "--server-config")) options.kind = ConfigKind::Server;
  const Result<CheckReport> report = check(std::move(rest), options);
  if (!report) {
    static_cast<void>(exit_status_of(Result<void>(std::unexpected(report.error()))));
    return kNotChecked;
  }
  const std::string text = options.json ? report_json(*report) : report_text(*report);
  if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) return kNotChecked;
  return exit_status_of(*report);
}

std::string check_command_help() {
  return "Usage: ringway check CONFIG [--json] [--no-host] [--option parameter ...]\n"
         "\n"
         "Says what a server's configuration or a client's profile will do on this machine, and\n"
         "what is wrong with it: everything, not only the first fault. Nothing is started or\n"
         "changed. docs/CHECK.md has a row for each finding.\n"
         "\n"
         "  --json\n"
         "        One JSON object in place of text.\n"
         "  --no-host\n"
         "        Looks at the configuration and the files that it names, and not at this "
         "machine:\n"
         "        the same everywhere, for a configuration that is meant for another host.\n"
         "  --client, --server-config\n"
         "        What the file is. Without them, one with `client`, `tls-client`, `pull` or\n"
         "        `remote` is a client's profile.\n"
         "\n"
         "Options of the configuration may follow its name, in OpenVPN's spelling; they win over\n"
         "the file.\n"
         "\n"
         "Exit status: 0 nothing worse than advice, 1 errors, 2 warnings and no errors, 3 nothing\n"
         "could be checked.\n";
}

}  // namespace ringway
