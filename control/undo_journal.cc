#include "control/undo_journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <ranges>
#include <utility>

#include "base/log.h"

namespace ringway {
namespace {

constexpr std::string_view kPrefix = "client-";
constexpr std::string_view kSuffix = ".undo";
constexpr int kAttemptsMax = 8;
/// More than all routes that a client may have.
constexpr std::size_t kFileSizeMax = std::size_t{1} << 20;

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t size = ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (size <= 0 || text.size() > kFileSizeMax) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

/// Where and when the deeds of this process have their effect.
std::string place() {
  const UniqueFd boot(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::string text = boot ? read_all(boot.get()) : std::string();
  text = text.substr(0, text.find('\n'));
  struct stat status{};
  if (::stat("/proc/self/ns/net", &status) != 0) return text;
  return fmt::format("{} {}:{}", text, status.st_dev, status.st_ino);
}

std::string header() { return fmt::format("ringway-undo 1 {}\n", place()); }

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> files_in(const std::string& directory) {
  std::vector<std::string> paths;
  const std::unique_ptr<DIR, DirectoryCloser> open(::opendir(directory.c_str()));
  if (!open) return paths;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) {
      paths.push_back(directory + "/" + std::string(name));
    }
  }
  std::ranges::sort(paths);
  return paths;
}

/// A stranger's file would have us undo what he likes.
bool is_trusted(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return (status.st_uid == 0 || status.st_uid == ::geteuid()) && (status.st_mode & 022) == 0;
}

/// A client that starts at the same moment may have taken the new file for a leftover, as it is not
/// locked yet.
bool is_ours(const UniqueFd& fd) {
  struct stat status{};
  return fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(fd.get(), &status) == 0 &&
         status.st_nlink == 1;
}

void undo_file(const std::string& path, const UndoJournal::Undo& undo) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd || !is_trusted(fd.get()) || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
  const std::string text = read_all(fd.get());
  if (text.starts_with(header())) {
    const std::vector<std::string> deeds = UndoJournal::deeds_in(text);
    bool is_undone = true;
    for (const std::string& deed : std::views::reverse(deeds)) {
      const Result<void> done = undo(deed);
      if (done) {
        log::info("undone, as a client that was killed had left it: {}", deed);
      } else {
        is_undone = false;
        log::warning("{}: cannot be undone: {}", deed, done.error().to_string());
      }
    }
    if (!is_undone) return;
  } else if (text.find('\n') != std::string::npos) {
    return;  // Of another network namespace, whose next client sees to it.
  }
  ::unlink(path.c_str());
}

}  // namespace

UndoJournal::~UndoJournal() {
  if (!fd_ || !deeds_.empty()) return;
  // After privileges were dropped the directory may be closed to us; an empty file says nothing.
  if (::unlink(path_.c_str()) != 0 && ::ftruncate(fd_.get(), 0) != 0) return;
}

std::vector<std::string> UndoJournal::deeds_in(std::string_view text) {
  std::vector<std::string> deeds;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // Written in half: not done.
    const std::string line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (line.starts_with('+')) deeds.push_back(line.substr(1));
    if (line.starts_with('-')) std::erase(deeds, line.substr(1));
  }
  return deeds;
}

void UndoJournal::undo_leftovers(const std::string& directory, const Undo& undo) {
  for (const std::string& path : files_in(directory)) undo_file(path, undo);
}

Result<UndoJournal> UndoJournal::open(const std::string& directory) {
  const auto failed = [&] {
    return fail(fmt::format("cannot be written: {}", std::strerror(errno)), directory,
                "name a directory of your own by `undo-directory`");
  };
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) return failed();
  std::string path;
  UniqueFd fd;
  for (int attempt = 0; attempt < kAttemptsMax && !is_ours(fd); ++attempt) {
    path = fmt::format("{}/{}XXXXXX{}", directory, kPrefix, kSuffix);
    fd = UniqueFd(::mkostemps(path.data(), static_cast<int>(kSuffix.size()), O_CLOEXEC | O_APPEND));
    if (!fd) return failed();
  }
  const std::string first = header();
  if (::write(fd.get(), first.data(), first.size()) != static_cast<ssize_t>(first.size())) {
    const auto error = failed();
    ::unlink(path.c_str());
    return error;
  }
  return UndoJournal(std::move(path), std::move(fd));
}

/// One write a line: a kill leaves whole lines, or the last one unfinished.
void UndoJournal::append(char sign, const std::string& deed) {
  if (!fd_) return;
  const std::string line = fmt::format("{}{}\n", sign, deed);
  if (::write(fd_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    log::warning("{}: {}: a crash would leave behind: {}", path_, std::strerror(errno), deed);
  }
}

void UndoJournal::note(const std::string& deed) {
  append('+', deed);
  deeds_.push_back(deed);
}

void UndoJournal::strike(const std::string& deed) {
  append('-', deed);
  std::erase(deeds_, deed);
}

}  // namespace ringway
