#include <fmt/format.h>

#include <charconv>

#include "control/check/inspection.h"

/// What the process needs of the machine: the kernel, its limits, its users and files.
namespace ringway {
namespace {

constexpr int kMajorMin = 6;
constexpr int kMinorMin = 1;

bool is_old(std::string_view kernel) {
  int major = 0;
  int minor = 0;
  const char* end = kernel.data() + kernel.size();
  const auto first = std::from_chars(kernel.data(), end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return false;
  if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc{}) return false;
  return major < kMajorMin || (major == kMajorMin && minor < kMinorMin);
}

void check_kernel(const HostFacts& host, FindingList& findings) {
  if (is_old(host.kernel)) {
    findings.add("kernel-old", {.where = "",
                                .what = fmt::format("the kernel is Linux {}", host.kernel),
                                .why = "Ringway needs Linux 6.1 or newer",
                                .write = "a newer kernel: Debian 12 has 6.1"});
  }
  const int disabled = host.io_uring_disabled.value_or(0);
  if (disabled == 2 || (disabled == 1 && !host.is_root)) {
    findings.add("io-uring-off", {.where = "",
                                  .what = fmt::format("kernel.io_uring_disabled is {}", disabled),
                                  .why = "Ringway moves every packet by io_uring",
                                  .write = "sysctl -w kernel.io_uring_disabled=0"});
  }
  if (host.has_tun_device == false) {
    findings.add("tun-missing", {.where = "",
                                 .what = "there is no /dev/net/tun",
                                 .why = "the tunnel's device cannot be made",
                                 .write = "modprobe tun; in a container, allow the device 10:200"});
  }
  constexpr std::uint64_t kLockedMin = std::uint64_t{8} << 20;
  if (!host.is_root && host.locked_memory_max && *host.locked_memory_max < kLockedMin) {
    findings.add("memlock-low",
                 {.where = "",
                  .what = fmt::format("{} bytes of memory may be locked", *host.locked_memory_max),
                  .why = "keys may end up in the swap space",
                  .write = "LimitMEMLOCK=infinity in the systemd unit, or `ulimit -l unlimited`"});
  }
}

void check_user(const ConfigDraft& draft, const HostFacts& host, FindingList& findings) {
  const ServerConfig& config = draft.config;
  if (host.user_exists == false) {
    findings.add("user-missing", {.where = draft.place_of("user"),
                                  .what = fmt::format("there is no user {}", config.user),
                                  .why = "the server will not start",
                                  .write = "`user nobody`, or create the user"});
  }
  if (host.group_exists == false) {
    findings.add("user-missing",
                 {.where = draft.place_of("group"),
                  .what = fmt::format("there is no group {}", config.group),
                  .why = "the server will not start",
                  .write = "`group nogroup` (Debian), `group nobody` (others), or create it"});
  }
  findings.add(
      "user-kept",
      {.where = draft.place_of("user"),
       .what = fmt::format("after the start the server is {} and has no capability", config.user),
       .why = "devices, sockets, keys and certificates are opened before; what is opened "
              "again (crl-verify, status, the log) must be that user's to open"});
}

const FileAccess* access_to(const HostFacts& host, const std::string& path) {
  const auto found = host.files.find(path);
  return found == host.files.end() ? nullptr : &found->second;
}

void check_read(std::string_view option, const std::string& path, const ConfigDraft& draft,
                const HostFacts& host, FindingList& findings) {
  const FileAccess* access = access_to(host, path);
  if (path.empty() || access == nullptr || !access->exists || access->may_read) return;
  findings.add("user-cannot-read",
               {.where = draft.place_of(option),
                .what = fmt::format("`{}`: {} may not read {}", option, draft.config.user, path),
                .why = "the file is read again when it changes, and the change would be missed",
                .write = fmt::format("chmod o+r {}, and o+x for its directories", path)});
}

void check_write(std::string_view option, const std::string& path, const ConfigDraft& draft,
                 const HostFacts& host, FindingList& findings) {
  const FileAccess* access = access_to(host, path);
  if (path.empty() || access == nullptr || access->may_replace || access->may_write) return;
  findings.add("user-cannot-write",
               {.where = draft.place_of(option),
                .what = fmt::format("`{}`: {} may neither replace nor write {}", option,
                                    draft.config.user, path),
                .why = "the server overwrites the file that it opened as root, and a reader may "
                       "see half of it",
                .write = "a directory that belongs to the user"});
}

}  // namespace

void check_process(const Inspection& inspection, FindingList& findings) {
  const HostFacts& host = *inspection.host;
  check_kernel(host, findings);
  const ConfigDraft& draft = inspection.survey.draft;
  if (inspection.survey.kind != ConfigKind::Server || draft.config.user.empty()) return;
  check_user(draft, host, findings);
  check_read("crl-verify", draft.config.tls.crl.path, draft, host, findings);
  check_write("status", draft.config.status_file, draft, host, findings);
  check_write("ifconfig-pool-persist", draft.config.pool_persist_file, draft, host, findings);
}

}  // namespace ringway
