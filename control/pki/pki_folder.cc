#include "control/pki/pki_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "control/config/config_files.h"

namespace ringway {
namespace {

constexpr mode_t kEntered = 0711;
constexpr mode_t kPrivate = 0700;

std::string system_text() { return std::strerror(errno); }

Result<void> make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    // The umask may have taken away what is meant.
    if (::chmod(path.c_str(), mode) == 0) return {};
  } else if (errno == EEXIST) {
    return {};
  }
  return fail(fmt::format("cannot make the folder: {}", system_text()), path,
              "name one in a folder that exists and can be written to");
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(system_text());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return fail(system_text());
  return {};
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

/// Makes a new name in the folder survive a power cut.
void settle(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

Result<PkiFolder> PkiFolder::create(const std::string& path) {
  if (auto made = make_folder(path, kEntered); !made) return std::unexpected(made.error());
  auto lock = take_lock(path);
  if (!lock) return std::unexpected(lock.error());
  std::error_code error;
  if (!std::filesystem::is_empty(path, error) || error) {
    return fail("the folder exists and is not empty", path,
                "name another one with --dir: an authority is never overwritten");
  }
  if (::chmod(path.c_str(), kEntered) != 0) {
    return fail(fmt::format("cannot set the folder's mode: {}", system_text()), path);
  }
  for (const char* name : {"private", "issued"}) {
    const mode_t mode = std::string_view(name) == "private" ? kPrivate : kEntered;
    if (auto made = make_folder(path + "/" + name, mode); !made) {
      return std::unexpected(made.error());
    }
  }
  return PkiFolder(path, std::move(*lock));
}

Result<PkiFolder> PkiFolder::open(const std::string& path) {
  auto lock = take_lock(path);
  if (!lock) return std::unexpected(lock.error());
  PkiFolder folder(path, std::move(*lock));
  if (folder.has("ca.crt") && folder.has("index.txt") && folder.has("private")) return folder;
  if (folder.has("ca.crt") && folder.has("ca.key")) {
    return fail("this is the folder of easy-rsa 2, which keeps keys beside certificates", path,
                "bring it up to date first: `easyrsa upgrade pki` of easy-rsa 3.0 or 3.1");
  }
  if (folder.has("pki/ca.crt")) {
    return fail("the authority is in the folder pki below", path,
                fmt::format("write --dir {}/pki", path));
  }
  return fail("there is no authority in this folder: ca.crt, index.txt and private/ are missing",
              path, "make one with `ringway pki init`, or name another folder with --dir");
}

Result<UniqueFd> PkiFolder::take_lock(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    return fail(fmt::format("cannot open the folder: {}", system_text()), path,
                "make an authority with `ringway pki init`, or name its folder with --dir");
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  return fail("another `ringway pki` is at work in this folder", path,
              "wait for it to end, and try again");
}

std::string PkiFolder::path_of(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

bool PkiFolder::has(std::string_view name) const { return exists(path_of(name)); }

Result<std::string> PkiFolder::read(std::string_view name) const {
  Result<std::string> text = read_text_file(path_of(name));
  if (!text) return fail(text.error().what, path_, "see that the folder is whole, and readable");
  return text;
}

Result<void> PkiFolder::write(std::string_view name, std::string_view text, mode_t mode) {
  const std::string path = path_of(name);
  const std::string folder = parent_of(path);
  if (auto made = make_folder(folder, kPrivate); !made) return made;
  std::string temporary = folder + "/.ringway-XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return fail(fmt::format("cannot write here: {}", system_text()), folder);
  const auto give_up = [&](const std::string& why) -> Result<void> {
    ::unlink(temporary.c_str());
    return fail("cannot write the file: " + why, path, "see that there is room, and try again");
  };
  if (const auto written = write_all(fd.get(), text); !written)
    return give_up(written.error().what);
  if (::fchmod(fd.get(), mode) != 0) return give_up(system_text());
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up(system_text());
  settle(folder);
  return {};
}

Result<void> PkiFolder::move(std::string_view from, std::string_view to) {
  const std::string source = path_of(from);
  if (!exists(source)) return {};
  const std::string target = path_of(to);
  const std::string folder = parent_of(target);
  for (const std::string& step : {parent_of(folder), folder}) {
    if (auto made = make_folder(step, kPrivate); !made) return made;
  }
  if (::rename(source.c_str(), target.c_str()) != 0) {
    return fail(fmt::format("cannot move {} there: {}", source, system_text()), target);
  }
  settle(folder);
  return {};
}

}  // namespace ringway
