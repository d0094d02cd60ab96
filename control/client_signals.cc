#include "control/client_signals.h"

#include <array>
#include <csignal>
#include <string>

#include "base/log.h"
#include "control/counter_report.h"
#include "control/path_report.h"

namespace ringway {
namespace {

void reopen_log(const ClientConfig& config) {
  if (!log::open({.verb = config.verb, .file = config.log_file, .append = true})) {
    log::warning("cannot reopen the log file {}; the one that is open stays in use",
                 config.log_file);
  }
}

void log_status(const ClientParts& parts, const ClientCore* core) {
  const PathMtu* const path = core != nullptr ? core->path() : nullptr;
  std::array<std::uint64_t, kDropCount> drops{};
  if (core != nullptr) drops = core->drops();
  log::info("SIGUSR2: status\n{}{}",
            path == nullptr ? "" : path_text(path->size(), path->is_proven()) + "\n",
            counter_report(parts.counters.snapshot(), drops));
}

}  // namespace

std::optional<SignalWish> take_wish(const ClientParts& parts, const ClientCore* core) {
  while (const auto signal = parts.signals.take()) {
    switch (*signal) {
      case SIGTERM:
      case SIGINT:
        log::info("{}: stopping", *signal == SIGTERM ? "SIGTERM" : "SIGINT");
        return SignalWish::Stop;
      case SIGUSR2: log_status(parts, core); break;
      case SIGHUP:
        reopen_log(parts.config);
        log::info("SIGHUP: connecting anew");
        return SignalWish::Anew;
      default: log::info("SIGUSR1: connecting anew"); return SignalWish::Anew;
    }
  }
  return std::nullopt;
}

}  // namespace ringway
