#include "control/config/config_survey.h"

#include <algorithm>
#include <array>

#include "control/config/config_check.h"
#include "control/config/config_derive.h"
#include "control/config/config_lexer.h"
#include "control/config/config_reader.h"
#include "control/config/profile_parser.h"

namespace ringway {

ConfigSurvey survey_config(ConfigKind kind, std::string_view text, const std::string& file_name,
                           const std::vector<std::string>& extra_options, const FileReader& read) {
  ConfigSurvey survey{.kind = kind};
  ConfigDraft& draft = survey.draft;
  draft.config.source = file_name;
  draft.collects = true;
  ConfigReader reader(draft, read, kind);
  // What fails is in the draft's problems.
  static_cast<void>(reader.read(text, file_name, extra_options));
  if (kind == ConfigKind::Server) {
    static_cast<void>(derive_config(draft));
    static_cast<void>(check_config(draft));
  } else {
    static_cast<void>(derive_profile(draft));
  }
  return survey;
}

ConfigKind kind_of_config(std::string_view text) {
  constexpr std::array<std::string_view, 4> kOfClients = {"client", "tls-client", "pull", "remote"};
  std::vector<Error> ignored;
  const auto lines = lex_config(text, "", &ignored);
  if (!lines) return ConfigKind::Server;
  const bool is_client = std::ranges::any_of(*lines, [&](const ConfigLine& line) {
    return std::ranges::find(kOfClients, line.name()) != kOfClients.end();
  });
  return is_client ? ConfigKind::Client : ConfigKind::Server;
}

}  // namespace ringway
