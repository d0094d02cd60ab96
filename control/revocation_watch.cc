#include "control/revocation_watch.h"

#include <dirent.h>
#include <sys/stat.h>

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
    : config_(config), tls_(tls), plane_(plane) {
  // A list was read with the configuration; a directory has not been looked at yet.
  if (is_active() && !config.crl_is_directory) seen_ = stamp();
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
    load_directory(now);
  } else {
    load_list(now);
  }
}

RevocationWatch::Stamp RevocationWatch::stamp() const {
  struct stat status{};
  if (::stat(config_.crl.path.c_str(), &status) != 0) return {};
  return {.modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          .size = status.st_size};
}

void RevocationWatch::load_list(Now now) {
  std::ifstream file(config_.crl.path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return complain(std::strerror(errno));
  const Result<void> replaced = tls_.replace_crl(text.str(), now.wall);
  if (!replaced) return complain(replaced.error().to_string());
  plane_.revoke(tls_.revoked(), now);
  log::info("crl-verify {}: the new list is in use", config_.crl.path);
}

void RevocationWatch::load_directory(Now now) {
  const std::unique_ptr<DIR, DirectoryCloser> directory(::opendir(config_.crl.path.c_str()));
  if (!directory) return complain(std::strerror(errno));
  std::vector<RevokedCertificate> revoked;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (is_decimal(entry->d_name)) {
      revoked.push_back({.issuer = "", .serial_decimal = entry->d_name});
    }
  }
  log::info("crl-verify {}: {} certificates are revoked", config_.crl.path, revoked.size());
  plane_.revoke(std::move(revoked), now);
}

void RevocationWatch::complain(const std::string& text) {
  if (complained_) return;
  complained_ = true;
  log::warning("crl-verify {}: {}; what was read before stays in use", config_.crl.path, text);
}

}  // namespace ringway
