#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/programs/program_request.h"

/// SHELL: the files through which a program and the server talk. Used by the helper alone.
namespace ringway {

/// Whose rights a program has. Unset: the helper's own.
struct ProgramIdentity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
};

/// What `user` and `group` name; either may be empty.
Result<ProgramIdentity> look_up_identity(const std::string& user, const std::string& group);

/// Files are made, read and removed with the program's rights, so that a link which it puts in
/// their place leads to nothing that it could not read itself. While such an object lives, the
/// helper has those rights.
class ActingAs {
 public:
  explicit ActingAs(const ProgramIdentity& identity);
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;
  ~ActingAs();

 private:
  bool is_changed_ = false;
};

/// The files of one program, of mode 0600; removed with it. Owned by the helper's runner.
class ProgramFiles {
 public:
  /// What is read of a file at most.
  static constexpr std::size_t kFileMax = 128 * 1024;

  static Result<ProgramFiles> make(const std::string& directory, std::vector<ProgramFile> files,
                                   const ProgramIdentity& identity);
  ProgramFiles() = default;
  ProgramFiles(ProgramFiles&& other) noexcept;
  ProgramFiles& operator=(ProgramFiles&& other) noexcept;
  ~ProgramFiles();

  /// Variables and the last argument, into the request.
  void add_to(ProgramRequest& request) const;
  void add_variables(std::vector<std::string>& environment) const;
  /// The beginning of one file's text; empty when it cannot be read.
  [[nodiscard]] std::string read(std::size_t number, std::size_t size_max = kFileMax) const;
  /// All of them as they are, but for what the program was given. Together at most kFileMax bytes.
  [[nodiscard]] std::vector<ProgramFile> read_all() const;
  /// Removes what the program was given, a password among it, once it has run.
  void remove_given();

 private:
  /// It is read by the program alone.
  [[nodiscard]] bool is_given(std::size_t number) const;
  void remove();

  std::vector<ProgramFile> files_;
  std::vector<std::string> paths_;
  ProgramIdentity identity_;
};

}  // namespace ringway
