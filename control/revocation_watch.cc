#include "control/revocation_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"

namespace ringway {

namespace {

bool is_decimal(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// Far more than any list has; a bound for what is no list.
constexpr std::size_t kListSizeMax = std::size_t{256} << 20;

/// The text of a plain file, or why it cannot be had.
Result<std::string> read_whole(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return fail("it is no file");
  std::string text;
  std::array<char, 16384> piece;
  while (text.size() <= kListSizeMax) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(std::strerror(errno));
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return fail("it is too large");
}

}  // namespace

RevocationWatch::RevocationWatch(const TlsConfig& config, TlsContext& tls, ControlPlane& plane,
                                 ServerPrograms& programs)
    : config_(config), tls_(tls), plane_(plane), programs_(programs) {}

Result<void> RevocationWatch::open(Now now) {
  if (!is_active() || !config_.crl_is_directory) return {};
  const FileOpened opened = open_here();
  const auto loaded = opened.file ? load_directory(opened.file, now)
                                  : Result<void>(fail(std::strerror(opened.error)));
  if (loaded) {
    seen_ = stamp_of(opened.file);
    return {};
  }
  return fail("cannot read the directory of revoked certificates: " + loaded.error().what,
              config_.crl.path,
              "name a directory that the server may read with `crl-verify DIR dir`");
}

bool RevocationWatch::is_active() const { return config_.crl.is_set() && !config_.crl.is_inline; }

std::optional<Instant> RevocationWatch::next() const {
  if (!is_active()) return std::nullopt;
  return next_;
}

void RevocationWatch::look(Now now, bool forced) {
  if (!is_active()) return;
  is_forced_ = is_forced_ || forced;
  if (now.instant >= next_ || forced) {
    next_ = now.instant + kInterval;
    if (!programs_.ask_to_open()) judge(open_here(), now);
  }
  if (const std::optional<FileOpened> opened = programs_.poll_opened()) judge(*opened, now);
}

FileOpened RevocationWatch::open_here() const {
  const int kind = config_.crl_is_directory ? O_DIRECTORY : 0;
  FileOpened opened{
      .file = UniqueFd(::open(config_.crl.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | kind))};
  if (!opened.file) opened.error = errno;
  return opened;
}

void RevocationWatch::judge(const FileOpened& opened, Now now) {
  const bool forced = std::exchange(is_forced_, false);
  const Stamp present = stamp_of(opened.file);
  if (present == seen_ && !forced) return;
  seen_ = present;
  complained_ = false;
  if (!opened.file) return complain(std::strerror(opened.error));
  const Result<void> loaded =
      config_.crl_is_directory ? load_directory(opened.file, now) : load_list(opened.file, now);
  if (!loaded) complain(loaded.error().to_string());
}

RevocationWatch::Stamp RevocationWatch::stamp_of(const UniqueFd& file) {
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return {};
  return {.inode = status.st_ino,
          .modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          .size = status.st_size};
}

Result<void> RevocationWatch::load_list(const UniqueFd& file, Now now) {
  const Result<std::string> text = read_whole(file.get());
  if (!text) return std::unexpected(text.error());
  if (auto replaced = tls_.replace_crl(*text, now.wall); !replaced) return replaced;
  plane_.revoke(tls_.revoked(), now);
  log::info("crl-verify {}: the new list is in use", config_.crl.path);
  return {};
}

Result<void> RevocationWatch::load_directory(const UniqueFd& opened, Now now) {
  const int copy = ::fcntl(opened.get(), F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, DirectoryCloser> directory(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!directory) {
    const int error = errno;
    if (copy >= 0) ::close(copy);
    return fail(std::strerror(error));
  }
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
