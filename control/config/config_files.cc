#include "control/config/config_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/unique_fd.h"
#include "control/config/config_lexer.h"
#include "control/config/config_parser.h"
#include "control/config/profile_parser.h"

namespace ringway {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

Result<std::string> read_to_end(int fd, const std::string& path) {
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(fmt::format("cannot read {}: {}", path, system_text(errno)));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kConfigFileSizeMax) {
      return fail(fmt::format("{} has more than {} bytes", path, kConfigFileSizeMax));
    }
  }
}

struct NamedFile {
  std::string_view option;
  FileOrInline& file;
  bool is_secret = false;
};

void warn_if_others_can_read(const NamedFile& named, std::vector<std::string>& notes) {
  struct stat status{};
  if (::stat(named.file.path.c_str(), &status) != 0)
    return;  // Read a moment ago: a race, no fault.
  if ((status.st_mode & (S_IRGRP | S_IROTH)) == 0 || !S_ISREG(status.st_mode)) return;
  notes.push_back(fmt::format("{}: others can read this `{}` file; run chmod 600 {}",
                              named.file.where, named.option, named.file.path));
}

Result<void> load_file(const NamedFile& named, std::vector<std::string>& notes) {
  FileOrInline& file = named.file;
  if (!file.is_set() || file.is_inline) return {};
  Result<std::string> text = read_text_file(file.path);
  if (!text) {
    return fail(fmt::format("`{}`: {}", named.option, text.error().what), file.where,
                fmt::format("write `{} FILE` with a file that Ringway can read", named.option));
  }
  if (text->empty()) {
    return fail(fmt::format("`{}`: {} is empty", named.option, file.path), file.where,
                "name the right file");
  }
  file.text = std::move(*text);
  // Whoever finds a fault in the text names the line of the configuration, and the file with it.
  file.where += fmt::format(" ({})", file.path);
  if (named.is_secret) warn_if_others_can_read(named, notes);
  return {};
}

Result<void> check_directory(const FileOrInline& directory) {
  struct stat status{};
  const bool is_there = ::stat(directory.path.c_str(), &status) == 0;
  if (!is_there || !S_ISDIR(status.st_mode) || ::access(directory.path.c_str(), R_OK | X_OK) != 0) {
    const int error = is_there && !S_ISDIR(status.st_mode) ? ENOTDIR : errno;
    return fail(fmt::format("`crl-verify`: cannot read {}: {}", directory.path, system_text(error)),
                directory.where, "write `crl-verify DIRECTORY dir`, or `crl-verify FILE`");
  }
  return {};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  if (path.find('\0') != std::string::npos) return fail("the path contains a NUL byte");
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) return fail(fmt::format("cannot open {}: {}", path, system_text(errno)));
  return read_to_end(fd.get(), path);
}

namespace {

Result<void> load_keys(TlsConfig& tls, WrapConfig& wrap, std::vector<std::string>& notes) {
  const std::string_view wrap_option = wrap.mode == WrapMode::TlsAuth ? "tls-auth" : "tls-crypt";
  const std::array files = {
      NamedFile{"ca", tls.ca, false},         NamedFile{"cert", tls.cert, false},
      NamedFile{"key", tls.key, true},        NamedFile{"dh", tls.dh, false},
      NamedFile{wrap_option, wrap.key, true},
  };
  for (const NamedFile& named : files) {
    if (auto loaded = load_file(named, notes); !loaded) return loaded;
  }
  if (!tls.crl.is_set()) return {};
  if (tls.crl_is_directory) return check_directory(tls.crl);
  return load_file(NamedFile{"crl-verify", tls.crl, false}, notes);
}

}  // namespace

Result<void> load_files(ServerConfig& config) {
  return load_keys(config.tls, config.wrap, config.notes);
}

Result<void> load_files(ClientConfig& config) {
  if (auto loaded = load_keys(config.tls, config.wrap, config.notes); !loaded) return loaded;
  return load_file(NamedFile{"auth-user-pass", config.auth_user_pass, true}, config.notes);
}

}  // namespace ringway
