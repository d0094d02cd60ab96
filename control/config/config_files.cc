#include "control/config/config_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/secret.h"
#include "base/unique_fd.h"
#include "control/config/config_lexer.h"
#include "control/config/config_parser.h"
#include "control/config/config_survey.h"
#include "control/config/profile_parser.h"

namespace ringway {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

Result<std::string> read_to_end(int fd, const std::string& path) {
  std::string text;
  // It may be a key that is read: nothing of it stays on the stack.
  struct Piece : std::array<char, 16384> {
    ~Piece() { wipe({reinterpret_cast<std::uint8_t*>(data()), size()}); }
  } buffer;
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

/// "1a2b3c4d.0": what `openssl rehash` calls a certificate; ".r0" a revocation list.
bool is_hashed_name(std::string_view name, std::string_view kind) {
  constexpr std::size_t kHashSize = 8;
  constexpr std::string_view kHex = "0123456789abcdef";
  if (name.substr(0, kHashSize).find_first_not_of(kHex) != std::string_view::npos) return false;
  if (name.size() < kHashSize + kind.size() || !name.substr(kHashSize).starts_with(kind)) {
    return false;
  }
  const std::string_view number = name.substr(kHashSize + kind.size());
  return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Adds the certificates of `capath` to those of `ca`.
Result<void> load_directory(TlsConfig& tls) {
  const FileOrInline& directory = tls.ca_directory;
  if (!directory.is_set()) return {};
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entries(directory.path, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    names.push_back(entries->path().filename());
  }
  if (error) {
    return fail(fmt::format("`capath`: cannot read {}: {}", directory.path, error.message()),
                directory.where, "write `capath DIRECTORY`, or `ca FILE`");
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (is_hashed_name(name, ".r")) {
      return fail(fmt::format("`capath`: {}/{} is a revocation list", directory.path, name),
                  directory.where,
                  "write `crl-verify FILE`, which is read again when it changes, and take it out "
                  "of the directory");
    }
    if (!is_hashed_name(name, ".")) continue;
    Result<std::string> text = read_text_file(directory.path + "/" + name);
    if (!text) return fail("`capath`: " + text.error().what, directory.where);
    tls.ca.text += *text + "\n";
  }
  if (!tls.ca.text.empty()) {
    if (tls.ca.where.empty()) tls.ca.where = directory.where;
    return {};
  }
  return fail(fmt::format("`capath`: there is no certificate in {}", directory.path),
              directory.where,
              fmt::format("run `openssl rehash {}` where the certificates are", directory.path));
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

/// Reads all files that can be read; the errors of the others, in their order.
std::vector<Error> load_keys(TlsConfig& tls, WrapConfig& wrap, std::vector<std::string>& notes) {
  const std::string_view wrap_option = wrap.mode == WrapMode::TlsAuth ? "tls-auth" : "tls-crypt";
  const std::array files = {
      NamedFile{"ca", tls.ca, false},
      NamedFile{"cert", tls.cert, false},
      NamedFile{"key", tls.key, true},
      NamedFile{"dh", tls.dh, false},
      NamedFile{"askpass", tls.key_passphrase, true},
      NamedFile{"extra-certs", tls.extra_certs, false},
      NamedFile{wrap_option, wrap.key, true},
      NamedFile{"tls-crypt-v2", wrap.v2_key, true},
  };
  std::vector<Error> errors;
  const auto keep = [&](const Result<void>& loaded) {
    if (!loaded) errors.push_back(loaded.error());
  };
  for (const NamedFile& named : files) keep(load_file(named, notes));
  keep(load_directory(tls));
  if (!tls.crl.is_set()) return errors;
  keep(tls.crl_is_directory ? check_directory(tls.crl)
                            : load_file(NamedFile{"crl-verify", tls.crl, false}, notes));
  return errors;
}

Result<void> first_of(const std::vector<Error>& errors) {
  if (errors.empty()) return {};
  return std::unexpected(errors.front());
}

}  // namespace

Result<void> load_files(ServerConfig& config) {
  const std::vector<Error> errors = load_keys(config.tls, config.wrap, config.notes);
  if (!errors.empty()) return first_of(errors);
  return load_file(NamedFile{"auth-gen-token-secret", config.tokens.secret, true}, config.notes);
}

void wipe_secrets(ServerConfig& config) {
  for (std::string* text :
       {&config.tls.key.text, &config.tls.key_passphrase.text, &config.wrap.key.text,
        &config.wrap.v2_key.text, &config.tokens.secret.text}) {
    wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
    text->clear();
  }
}

Result<void> load_files(ClientConfig& config) {
  const std::vector<Error> errors = load_keys(config.tls, config.wrap, config.notes);
  if (!errors.empty()) return first_of(errors);
  if (auto loaded = load_file(NamedFile{"askpass", config.login.passphrase, true}, config.notes);
      !loaded) {
    return loaded;
  }
  return load_file(NamedFile{"auth-user-pass", config.auth_user_pass, true}, config.notes);
}

std::vector<Error> load_all_files(ConfigDraft& draft) {
  ServerConfig& config = draft.config;
  std::vector<Error> errors = load_keys(config.tls, config.wrap, config.notes);
  for (const NamedFile& secret :
       {NamedFile{"auth-gen-token-secret", config.tokens.secret, true},
        NamedFile{"askpass", draft.profile.login.passphrase, true},
        NamedFile{"auth-user-pass", draft.profile.auth_user_pass, true}}) {
    if (auto loaded = load_file(secret, config.notes); !loaded) errors.push_back(loaded.error());
  }
  return errors;
}

}  // namespace ringway
