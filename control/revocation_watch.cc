#include "control/revocation_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/log.h"

namespace ringway {

namespace {

bool is_decimal(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

RevocationWatch::RevocationWatch(const TlsConfig& config, TlsContext& tls, ControlPlane& plane)
    : config_(config), tls_(tls), plane_(plane) {}

Result<void> RevocationWatch::open(Now now) {
  if (!is_active() || !config_.crl_is_directory) return {};
  directory_ = UniqueFd(::open(config_.crl.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory_) {
    seen_ = stamp();
    return load_directory(now);
  }
  return fail(
      std::string("cannot read the directory of revoked certificates: ") + std::strerror(errno),
      config_.crl.path, "name a directory that the server may read with `crl-verify DIR dir`");
}

bool RevocationWatch::is_active() const { return config_.crl.is_set() && !config_.crl.is_inline; }

std::optional<Instant> RevocationWatch::next() const {
  if (!is_active()) return std::nullopt;
  return next_;
}

void RevocationWatch::look(Now now, bool forced) {
  if (!is_active() || (now.instant < next_ && !forced)) return;
  next_ = now.instant + kInterval;
  const Stamp present = stamp();
  if (present == seen_ && !forced) return;
  seen_ = present;
  complained_ = false;
  if (config_.crl_is_directory) {
    if (const Result<void> loaded = load_directory(now); !loaded) {
      complain(loaded.error().to_string());
    }
  } else {
    load_list(now);
  }
}

RevocationWatch::Stamp RevocationWatch::stamp() const {
  struct stat status{};
  const int result =
      directory_ ? ::fstat(directory_.get(), &status) : ::stat(config_.crl.path.c_str(), &status);
  if (result != 0) return {};
  return {.modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          .size = status.st_size};
}

void RevocationWatch::load_list(Now now) {
  const std::ifstream file(config_.crl.path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return complain(std::strerror(errno));
  const Result<void> replaced = tls_.replace_crl(text.str(), now.wall);
  if (!replaced) return complain(replaced.error().to_string());
  plane_.revoke(tls_.revoked(), now);
  log::info("crl-verify {}: the new list is in use", config_.crl.path);
}

Result<void> RevocationWatch::load_directory(Now now) {
  const int copy = ::fcntl(directory_.get(), F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, DirectoryCloser> directory(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!directory) {
    const int error = errno;
    if (copy >= 0) ::close(copy);
    return fail(std::strerror(error), config_.crl.path);
  }
  ::rewinddir(directory.get());  // The copy shares its place with the last one.
  std::vector<RevokedCertificate> revoked;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (is_decimal(entry->d_name)) {
      revoked.push_back({.issuer = "", .serial_decimal = entry->d_name});
    }
  }
  log::info("crl-verify {}: {} certificates are revoked", config_.crl.path, revoked.size());
  plane_.revoke(std::move(revoked), now);
  return {};
}

void RevocationWatch::complain(const std::string& text) {
  if (complained_) return;
  complained_ = true;
  log::warning("crl-verify {}: {}; what was read before stays in use", config_.crl.path, text);
}

}  // namespace ringway
