#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "control/config/config_parser.h"

/// What the tests of control/config share: parsing without files, and files of expected text.
namespace ringway {

/// The lines that a server cannot do without.
inline constexpr const char* kRequiredLines =
    "dev tun\nca ca.crt\ncert server.crt\nkey server.key\nserver 10.8.0.0 255.255.255.0\n";

inline Result<std::string> no_such_file(const std::string& path) {
  return fail("cannot open " + path + ": No such file or directory");
}

/// `lines` as the first lines of server.conf, with the required lines behind them.
inline Result<ServerConfig> parse_with_required(const std::string& lines,
                                                const std::vector<std::string>& extra = {}) {
  return parse_server_config(lines + "\n" + kRequiredLines, "server.conf", extra, no_such_file);
}

inline std::string error_of(const Result<ServerConfig>& result) {
  return result ? "(accepted)" : result.error().to_string();
}

inline bool is_pushed(const ServerConfig& config, std::string_view option) {
  return std::ranges::find(config.push, option) != config.push.end();
}

inline bool has_note(const ServerConfig& config, const std::string& text) {
  for (const std::string& note : config.notes) {
    if (note.find(text) != std::string::npos) return true;
  }
  return false;
}

inline std::string test_folder() {
  return std::string(RINGWAY_SOURCE_ROOT) + "/tests/control/config/";
}

inline std::string text_of_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// With RINGWAY_UPDATE_GOLDEN set, the expected text becomes what the code says now; the change is
/// then reviewed as any other.
inline bool updates_golden() { return std::getenv("RINGWAY_UPDATE_GOLDEN") != nullptr; }

inline std::string golden(const std::string& path, const std::string& actual) {
  if (updates_golden()) std::ofstream(path, std::ios::binary) << actual;
  return text_of_file(path);
}

}  // namespace ringway
