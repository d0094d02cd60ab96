#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/config/config.h"

namespace ringway {

/// Reads a whole file; the parser does no I/O of its own, so that tests and fuzzers feed it text.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

/// OpenVPN's configuration language -> ServerConfig. `extra_options` are command-line options in
/// the same language ("--port 1195" as "port 1195"), which win over the file. Every error names
/// file and line, the reason, and what to write instead. `read` serves `config FILE` only. Pure but
/// for `read`.
Result<ServerConfig> parse_server_config(std::string_view text, const std::string& file_name,
                                         const std::vector<std::string>& extra_options,
                                         const FileReader& read);

/// Reads the files that the configuration names into FileOrInline::text; an unreadable one is an
/// error that says which option named it. Warnings (a key that others can read) go to notes, and
/// FileOrInline::where names the file too. Relative paths are those of the working directory: enter
/// that of `cd` before.
Result<void> load_files(ServerConfig& config);

/// Wipes and empties the texts of all key files: whoever uses them has copies by then.
void wipe_secrets(ServerConfig& config);

/// The outcome, defaults included, one option a line, for --print-config.
std::string print_config(const ServerConfig& config);

}  // namespace ringway
