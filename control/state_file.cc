#include "control/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/log.h"

namespace ringway {

namespace {

constexpr mode_t kMode = 0600;

/// 0 or the errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Who may read it stays as the operator has set it.
mode_t mode_like(const UniqueFd& present) {
  struct stat status{};
  if (!present || ::fstat(present.get(), &status) != 0) return kMode;
  return status.st_mode & 0777;
}

}  // namespace

StateFile::StateFile(std::string what, std::string path)
    : what_(std::move(what)), path_(std::move(path)) {}

StateFile::~StateFile() {
  if (fd_ && is_new_) ::unlink(path_.c_str());
}

Result<void> StateFile::open() {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  fd_ = UniqueFd(::open(path_.c_str(), kFlags | O_EXCL, kMode));
  is_new_ = static_cast<bool>(fd_);
  if (!fd_) fd_ = UniqueFd(::open(path_.c_str(), kFlags, kMode));
  if (fd_) return {};
  return fail(fmt::format("cannot write the {} file: {}", what_, std::strerror(errno)), path_,
              "create its directory, or name another file");
}

std::string StateFile::read() const {
  std::string text;
  char piece[4096];
  off_t offset = 0;
  while (fd_) {
    const ssize_t got = ::pread(fd_.get(), piece, sizeof piece, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<std::size_t>(got));
    offset += got;
  }
  return text;
}

bool StateFile::write(std::string_view text, Now now) {
  int error = replace(text);
  if (error == EACCES || error == EPERM || error == EROFS) error = overwrite(text);
  if (error == 0) {
    is_new_ = false;
    return true;
  }
  if (!warned_at_ || now.instant - *warned_at_ >= kWarnMin) {
    warned_at_ = now.instant;
    log::warning("cannot write the {} file {}: {}; the next attempt follows", what_, path_,
                 std::strerror(error));
  }
  return false;
}

int StateFile::replace(std::string_view text) {
  const std::string temporary = path_ + ".new";
  // Whatever lies there is ours from an earlier crash, or somebody's trap; neither is followed.
  ::unlink(temporary.c_str());
  UniqueFd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!fd) return errno;
  int error = ::fchmod(fd.get(), mode_like(fd_)) == 0 ? 0 : errno;
  if (error == 0) error = write_all(fd.get(), text);
  // Without it a crash of the machine could leave the new name with the old disk's garbage.
  if (error == 0 && ::fdatasync(fd.get()) != 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path_.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return error;
  }
  fd_ = std::move(fd);
  return 0;
}

int StateFile::overwrite(std::string_view text) const {
  if (!fd_) return EACCES;
  // Room first: on a full disk the text would end somewhere, and what was there be lost. Not all
  // file systems can say.
  const auto size = static_cast<off_t>(text.size());
  if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, size) != 0 && errno == ENOSPC) return errno;
  if (::lseek(fd_.get(), 0, SEEK_SET) < 0) return errno;
  if (const int error = write_all(fd_.get(), text); error != 0) return error;
  // Cut last: until then a reader finds the new text and perhaps a rest of the old, never nothing.
  return ::ftruncate(fd_.get(), size) == 0 ? 0 : errno;
}

}  // namespace ringway
