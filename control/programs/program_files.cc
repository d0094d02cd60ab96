#include "control/programs/program_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/random.h"
#include "base/unique_fd.h"

namespace ringway {
namespace {

/// So that nobody can be there before us.
std::string random_name() {
  std::array<std::uint8_t, 16> bytes{};
  SystemRandom().fill(bytes);
  std::string name;
  for (const std::uint8_t byte : bytes) name += fmt::format("{:02x}", byte);
  return name;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<ProgramIdentity> look_up_identity(const std::string& user, const std::string& group) {
  ProgramIdentity identity;
  if (!user.empty()) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) {
      return fail("there is no user " + user, "user " + user, "create it, or name another");
    }
    identity.user = entry->pw_uid;
  }
  if (!group.empty()) {
    const struct group* entry = ::getgrnam(group.c_str());
    if (entry == nullptr) {
      return fail("there is no group " + group, "group " + group,
                  "create it, or name another (on Debian the group of nobody is nogroup)");
    }
    identity.group = entry->gr_gid;
  }
  return identity;
}

ActingAs::ActingAs(const ProgramIdentity& identity) {
  if (::geteuid() != 0) return;
  is_changed_ = true;
  if (identity.group) RW_ASSERT(::setegid(*identity.group) == 0);
  if (identity.user) RW_ASSERT(::seteuid(*identity.user) == 0);
}

ActingAs::~ActingAs() {
  if (!is_changed_) return;
  RW_ASSERT(::seteuid(0) == 0);
  RW_ASSERT(::setegid(0) == 0);
  // A change of ids makes a process dumpable again where fs.suid_dumpable says so (D03).
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

Result<ProgramFiles> ProgramFiles::make(const std::string& directory,
                                        std::vector<ProgramFile> files,
                                        const ProgramIdentity& identity) {
  const ActingAs program(identity);
  ProgramFiles made;
  made.identity_ = identity;
  for (ProgramFile& file : files) {
    const std::string path =
        fmt::format("{}/ringway_{}_{}.tmp", directory, file.prefix, random_name());
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                             S_IRUSR | S_IWUSR));
    if (!fd) {
      return fail(fmt::format("cannot make a file: {}", std::strerror(errno)), directory,
                  "let `tmp-dir` name a directory that `user` may write to");
    }
    made.paths_.push_back(path);
    if (!write_all(fd.get(), file.content)) {
      return fail(fmt::format("cannot write: {}", std::strerror(errno)), path, "make room");
    }
    file.content.clear();
    made.files_.push_back(std::move(file));
  }
  return made;
}

ProgramFiles::ProgramFiles(ProgramFiles&& other) noexcept
    : files_(std::exchange(other.files_, {})),
      paths_(std::exchange(other.paths_, {})),
      identity_(other.identity_) {}

ProgramFiles& ProgramFiles::operator=(ProgramFiles&& other) noexcept {
  if (this == &other) return *this;
  remove();
  files_ = std::exchange(other.files_, {});
  paths_ = std::exchange(other.paths_, {});
  identity_ = other.identity_;
  return *this;
}

ProgramFiles::~ProgramFiles() { remove(); }

void ProgramFiles::remove() {
  if (paths_.empty()) return;
  const ActingAs program(identity_);
  for (const std::string& path : paths_) ::unlink(path.c_str());
  paths_.clear();
}

void ProgramFiles::add_to(ProgramRequest& request) const {
  add_variables(request.environment);
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].is_argument) request.words.push_back(paths_[i]);
  }
}

void ProgramFiles::add_variables(std::vector<std::string>& environment) const {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!files_[i].variable.empty()) environment.push_back(files_[i].variable + "=" + paths_[i]);
  }
}

bool ProgramFiles::is_given(std::size_t number) const {
  return files_[number].is_argument && files_[number].variable.empty();
}

void ProgramFiles::remove_given() {
  const ActingAs program(identity_);
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (is_given(i)) ::unlink(paths_[i].c_str());
  }
}

std::string ProgramFiles::read(std::size_t number, std::size_t size_max) const {
  if (number >= paths_.size()) return {};
  const ActingAs program(identity_);
  // A FIFO in its place shall not stop us.
  const UniqueFd fd(::open(paths_[number].c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return {};
  std::string text(std::min(size_max, kFileMax), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

std::vector<ProgramFile> ProgramFiles::read_all() const {
  std::vector<ProgramFile> files = files_;
  std::size_t room = kFileMax;
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].content = is_given(i) ? std::string() : read(i, room);
    room -= files[i].content.size();
  }
  return files;
}

}  // namespace ringway
