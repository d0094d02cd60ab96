#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

/// Leveled lines to stderr, a file or both, through spdlog. Used by the control thread, the
/// start-up code and the tools; never by a core and never for a packet. Thread-safe.
namespace ringway::log {

enum class Level { Error, Warning, Info, Debug };

struct Settings {
  /// OpenVPN's `verb`: 0 errors only, 1 to 3 what happens, 4 and more debug.
  int verb = 3;
  /// Empty: standard error.
  std::string file;
  bool append = true;
};

/// Returns false, and goes on as before, when the file cannot be opened.
bool open(const Settings& settings);
void line(Level level, std::string_view text);
/// Text that came from a peer, made safe for a log: control and non-ASCII bytes as \xNN.
std::string escape(std::string_view peer_text);

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  line(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace ringway::log
