#include "control/config/client_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "base/unique_fd.h"
#include "control/config/client_file.h"

namespace ringway {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

/// 0, or why not.
int check_kind(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return errno;
  if (S_ISREG(status.st_mode)) return 0;
  return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
}

/// 0, or why not.
int read_text(int fd, std::string& text) {
  std::array<char, 4096> piece;
  while (text.size() <= kClientFileSizeMax) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return 0;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

ClientFileText read_client_file(const std::string& directory, const std::string& name) {
  ClientFileText file{.name = name, .where = directory + "/" + name};
  // A FIFO in its place must not stop the server.
  const UniqueFd fd(::open(file.where.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return file;
  file.exists = true;
  int error = fd ? check_kind(fd.get()) : errno;
  if (error == 0) error = read_text(fd.get(), file.text);
  if (error != 0) file.fault = system_text(error);
  return file;
}

Result<std::vector<ClientFileText>> read_client_files(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> entries(::opendir(directory.c_str()));
  if (entries == nullptr) {
    return fail(fmt::format("cannot read the directory of clients: {}", system_text(errno)),
                directory, "create it, or delete the line `client-config-dir`");
  }
  std::vector<ClientFileText> files;
  while (files.size() < kClientFilesMax) {
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    // An editor's, and no client's.
    if (name.starts_with('.')) continue;
    ClientFileText file = read_client_file(directory, name);
    if (file.exists && file.fault.empty()) files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, &ClientFileText::name);
  return files;
}

}  // namespace ringway
