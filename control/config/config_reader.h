#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/config/config_draft.h"
#include "control/config/config_parser.h"
#include "control/config/option_table.h"

namespace ringway {

/// Feeds the lines of a configuration to the option table of its kind, files within files included.
/// Lives for one parse. Pure but for the FileReader.
class ConfigReader {
 public:
  ConfigReader(ConfigDraft& draft, const FileReader& read, ConfigKind kind)
      : draft_(draft), read_(read), kind_(kind) {}

  /// A whole configuration, and then the options of the command line, which win.
  Result<void> read(std::string_view text, const std::string& file_name,
                    const std::vector<std::string>& extra_options);

 private:
  Result<void> read_text(std::string_view text, const std::string& file_name);
  Result<void> read_line(ConfigLine line);
  Result<void> read_included(const ConfigLine& line);
  Result<void> apply(const ConfigLine& line, bool may_be_skipped);
  Result<void> apply_row(const OptionRow& row, const ConfigLine& line);
  void note_once(const ConfigLine& line, std::string text);

  ConfigDraft& draft_;
  const FileReader& read_;
  ConfigKind kind_;
  std::size_t line_count_ = 0;
  std::size_t included_count_ = 0;
};

}  // namespace ringway
