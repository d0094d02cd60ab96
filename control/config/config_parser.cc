#include "control/config/config_parser.h"

#include <utility>

#include "control/config/config_check.h"
#include "control/config/config_derive.h"
#include "control/config/config_reader.h"

namespace ringway {

Result<ServerConfig> parse_server_config(std::string_view text, const std::string& file_name,
                                         const std::vector<std::string>& extra_options,
                                         const FileReader& read) {
  ConfigDraft draft;
  draft.config.source = file_name;
  ConfigReader reader(draft, read, ConfigKind::Server);
  if (auto applied = reader.read(text, file_name, extra_options); !applied) {
    return std::unexpected(applied.error());
  }
  if (auto derived = derive_config(draft); !derived) return std::unexpected(derived.error());
  if (auto checked = check_config(draft); !checked) return std::unexpected(checked.error());
  return std::move(draft.config);
}

}  // namespace ringway
