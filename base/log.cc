#include "base/log.h"

#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/time.h"

namespace ringway::log {
namespace {

constexpr Duration kComplaintMin = 60s;
constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S %L %v";

spdlog::level::level_enum level_for(int verb) {
  if (verb <= 0) return spdlog::level::err;
  if (verb <= 3) return spdlog::level::info;
  return spdlog::level::debug;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Error: return spdlog::level::err;
    case Level::Warning: return spdlog::level::warn;
    case Level::Info: return spdlog::level::info;
    case Level::Debug: return spdlog::level::debug;
  }
  return spdlog::level::info;
}

/// A disk that is full costs lines. What can still be said is said where a supervisor reads, at
/// once and then once a minute (security goal R10). Called by the thread that writes the lines.
struct Complaint {
  Instant next;

  void operator()(const std::string& what) {
    const Instant now = monotonic_now();
    if (now < next) return;
    next = now + kComplaintMin;
    fmt::print(stderr, "ringway: cannot write the log, lines are lost: {}\n", what);
  }
};

void install(spdlog::sink_ptr sink, int verb) {
  auto logger = std::make_shared<spdlog::logger>("ringway", std::move(sink));
  logger->set_pattern(kPattern);
  logger->set_level(level_for(verb));
  logger->flush_on(spdlog::level::info);
  logger->set_error_handler(Complaint{});
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

bool open(const Settings& settings) {
  if (settings.file.empty()) {
    install(std::make_shared<spdlog::sinks::stderr_sink_mt>(), settings.verb);
    return true;
  }
  // spdlog reports a file it cannot open by throwing; ask the C library first.
  std::FILE* probe = std::fopen(settings.file.c_str(), "ae");
  if (probe == nullptr) return false;
  std::fclose(probe);
  // Scripts are none of its readers (D05).
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    ::fcntl(::fileno(file), F_SETFD, FD_CLOEXEC);
  };
  install(std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.file, !settings.append,
                                                              handlers),
          settings.verb);
  return true;
}

void line(Level level, std::string_view text) { spdlog::log(to_spdlog(level), "{}", text); }

std::string escape(std::string_view peer_text) {
  std::string safe;
  for (const char c : peer_text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      safe += c;
    } else {
      safe += fmt::format("\\x{:02x}", byte);
    }
  }
  return safe;
}

}  // namespace ringway::log
