#include <fmt/format.h>

#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// The process: log, status file, privileges, and what steers the parser itself.
namespace ringway {
namespace {

Result<std::string> text_at(const ConfigLine& line, const std::string& takes) {
  if (line.parameter(1).empty()) return bad_value(line, 1, takes);
  return line.parameter(1);
}

Result<void> store_text(std::string& text, const ConfigLine& line, const std::string& takes) {
  Result<std::string> given = text_at(line, takes);
  if (!given) return std::unexpected(given.error());
  text = std::move(*given);
  return {};
}

Result<void> apply_status(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 2) {
    const auto interval = seconds_at(line, 2, {1, kSecondsMax});
    if (!interval) return std::unexpected(interval.error());
    draft.config.status_interval = *interval;
  }
  return store_text(draft.config.status_file, line, "a file's path");
}

Result<void> apply_status_version(ConfigDraft& draft, const ConfigLine& line) {
  const auto version = number_at(line, 1, {1, 3});
  if (!version) return std::unexpected(version.error());
  draft.config.status_version = static_cast<int>(*version);
  return {};
}

Result<void> apply_log(ConfigDraft& draft, const ConfigLine& line) {
  draft.config.log_append = false;
  return store_text(draft.config.log_file, line, "a file's path");
}

Result<void> apply_log_append(ConfigDraft& draft, const ConfigLine& line) {
  draft.config.log_append = true;
  return store_text(draft.config.log_file, line, "a file's path");
}

Result<void> apply_verb(ConfigDraft& draft, const ConfigLine& line) {
  const auto verb = number_at(line, 1, {0, 11});
  if (!verb) return std::unexpected(verb.error());
  draft.config.verb = static_cast<int>(*verb);
  return {};
}

Result<void> apply_user(ConfigDraft& draft, const ConfigLine& line) {
  return store_text(draft.config.user, line, "a user's name");
}
Result<void> apply_group(ConfigDraft& draft, const ConfigLine& line) {
  return store_text(draft.config.group, line, "a group's name");
}
Result<void> apply_seccomp(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& mode = line.parameter(1);
  if (mode != "kill" && mode != "log" && mode != "off")
    return bad_value(line, 1, "kill, log or off");
  draft.config.seccomp = mode == "kill"  ? SeccompMode::Kill
                         : mode == "log" ? SeccompMode::Log
                                         : SeccompMode::Off;
  return {};
}
Result<void> apply_writepid(ConfigDraft& draft, const ConfigLine& line) {
  return store_text(draft.config.write_pid_file, line, "a file's path");
}
Result<void> apply_cd(ConfigDraft& draft, const ConfigLine& line) {
  return store_text(draft.config.working_directory, line, "a directory's path");
}

Result<void> apply_ignore_unknown_option(ConfigDraft& draft, const ConfigLine& line) {
  for (std::size_t i = 1; i <= line.parameter_count(); ++i) {
    draft.ignorable.insert(line.parameter(i));
  }
  return {};
}

/// `config FILE` is read by the parser itself, which can open files.
Result<void> apply_config(ConfigDraft&, const ConfigLine&) { return {}; }

constexpr std::string_view kConfinement =
    "is not served: the server would run with less confinement";

constexpr std::array kRows = {
    works("status", "FILE [SECONDS]", {1, 2}, apply_status,
          "Lists the clients in a file, every 60 seconds by default."),
    works("status-version", "1|2|3", {1, 1}, apply_status_version,
          "Format of that file; 1 by default."),
    works("log", "FILE", {1, 1}, apply_log, "Log to a file, emptied at start."),
    works("log-append", "FILE", {1, 1}, apply_log_append, "Log to the end of a file."),
    works("verb", "0..11", {1, 1}, apply_verb,
          "0 errors only, 1 to 3 what happens, 4 and more for finding faults; 1 by "
          "default."),
    works("user", "NAME", {1, 1}, apply_user, "User to become after the start."),
    works("group", "NAME", {1, 1}, apply_group, "Group to become after the start."),
    works("seccomp", "kill|log|off", {1, 1}, apply_seccomp,
          "Ringway's own: what becomes of a thread that makes a system call which it does not "
          "need. `kill`, the default, ends the process, for somebody else has taken it over; "
          "`log` lets it pass and leaves a line in the kernel's audit log, to find out what a "
          "new system library does; `off` has no filter."),
    works("writepid", "FILE", {1, 1}, apply_writepid, "Writes the process's number into a file."),
    works("cd", "DIRECTORY", {1, 1}, apply_cd,
          "Where relative paths begin, whatever the order of the lines, except for `config`, "
          "which must stand behind it."),
    works("config", "FILE", {1, 1}, apply_config,
          "Reads another file at this place, nested at most 10 deep."),
    works("ignore-unknown-option", "NAME...", {1, 15}, apply_ignore_unknown_option,
          "These options may be unknown or refused: they are skipped, and start-up says so."),
    no_effect("persist-key", "is what holds: keys are read once"),
    no_effect("persist-tun", "is what holds: the device stays while the server runs"),
    no_effect("persist-local-ip", "is what holds: addresses are read once"),
    no_effect("persist-remote-ip", "is what holds: clients are known by their peer-id"),
    no_effect("remap-usr1", "is for restarts by signal; start the server anew instead"),
    no_effect("mute", "is not needed: no log line is written per packet"),
    no_effect("daemon",
              "is left to the service manager: Ringway stays in the foreground and logs "
              "to standard error, or to the file of `log`"),
    no_effect("nice", "is left to the service manager, e.g. Nice= of systemd"),
    no_effect("suppress-timestamps", "is left to the reader of the log"),
    no_effect("machine-readable-output", "is left to the reader of the log"),
    no_effect("errors-to-stderr", "is what holds"),
    no_effect("syslog", "is left to the service manager, which reads standard error"),
    no_effect("echo", "would only repeat its words in the log"),
    no_effect("gremlin", "is for tests of OpenVPN"),
    refused("chroot", kConfinement,
            "write RootDirectory= in the systemd unit, and delete the line"),
    refused("setcon", kConfinement,
            "write SELinuxContext= in the systemd unit, and delete the line"),
    refused("mlock", "is not served for the whole process: only session keys are locked in memory",
            "write MemorySwapMax=0 in the systemd unit, and delete the line"),
};

}  // namespace

std::span<const OptionRow> process_options() { return kRows; }

}  // namespace ringway
