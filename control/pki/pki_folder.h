#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace ringway {

/// The folder of an authority, and nobody else at work in it: paths, reading, and writing so that a
/// file is there whole or not at all, whenever the power goes.
///
///     ca.crt            0644   the authority's certificate, for servers and clients
///     crl.pem           0644   what is revoked, for servers
///     index.txt         0600   every certificate that was ever made
///     issued/NAME.crt   0644
///     private/ca.key    0600   the authority's key, and NAME.key of each certificate made here
///     revoked/, renewed/       what is not in use any more, by serial number
///
/// It is easy-rsa's layout, so that either works on the folder of the other. The folder itself may
/// be entered but not listed by others, so that a server that is no longer root finds crl.pem
/// again; private/ is nobody else's.
///
/// SHELL: file system calls. One at a time in a folder, by a lock on the folder itself.
class PkiFolder {
 public:
  /// A new one; the path must not exist, or be an empty folder.
  static Result<PkiFolder> create(const std::string& path);
  /// One that has an authority. The error says what is missing, and of which tool it seems to be.
  static Result<PkiFolder> open(const std::string& path);

  /// The path of a file below the folder.
  [[nodiscard]] std::string path_of(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] Result<std::string> read(std::string_view name) const;
  /// Replaces the file in one step, and its folders are made where they are missing.
  Result<void> write(std::string_view name, std::string_view text, mode_t mode);
  /// Gives a file another name; nothing happens when there is none.
  Result<void> move(std::string_view from, std::string_view to);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  PkiFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  static Result<UniqueFd> take_lock(const std::string& path);

  std::string path_;
  UniqueFd lock_;
};

}  // namespace ringway
