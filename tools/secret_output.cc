#include "tools/secret_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace ringway {
namespace {

Result<void> write_all(int fd, std::string_view text, const std::string& where) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return fail(fmt::format("cannot write it: {}", std::strerror(errno)), where,
                  "see that there is room where it goes");
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<void> write_secret_output(const std::string& path, std::string_view text) {
  if (path.empty() || path == "-") return write_all(STDOUT_FILENO, text, "standard output");
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd && errno == EEXIST) {
    return fail("the file exists, and may be in use", path,
                "name another file, or move this one away first");
  }
  if (!fd) {
    return fail(fmt::format("cannot create the file: {}", std::strerror(errno)), path,
                "name a file in a directory that exists and can be written to");
  }
  const Result<void> written = write_all(fd.get(), text, path);
  if (!written) ::unlink(path.c_str());
  return written;
}

}  // namespace ringway
