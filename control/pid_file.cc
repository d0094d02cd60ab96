#include "control/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace ringway {

Result<PidFile> PidFile::write(std::string path) {
  if (path.empty()) return PidFile({});
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  const std::string text = std::to_string(::getpid()) + "\n";
  if (fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return PidFile(std::move(path));
  }
  return fail(std::string("cannot write the pid file: ") + std::strerror(errno), path,
              "create its directory, or name another file with `writepid`");
}

PidFile::~PidFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace ringway
