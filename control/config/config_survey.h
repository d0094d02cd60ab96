#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/config_draft.h"
#include "control/config/config_parser.h"
#include "control/config/option_table.h"

namespace ringway {

/// A configuration as far as it can be read: where the parser of a server or a client stops at the
/// first fault, this has all of them, and what the other lines say.
struct ConfigSurvey {
  ConfigKind kind = ConfigKind::Server;
  /// `problems` and `idle` of it are filled.
  ConfigDraft draft;
};

/// As parse_server_config() and parse_client_profile(). Pure but for `read`.
ConfigSurvey survey_config(ConfigKind kind, std::string_view text, const std::string& file_name,
                           const std::vector<std::string>& extra_options, const FileReader& read);

/// Whose configuration it is: a client's has `client`, `tls-client`, `pull` or `remote`.
ConfigKind kind_of_config(std::string_view text);

/// Reads the files as load_files() does, goes on where one cannot be read, and returns why.
std::vector<Error> load_all_files(ConfigDraft& draft);

}  // namespace ringway
