#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "control/programs/program_files.h"
#include "control/programs/program_request.h"

/// SHELL: one new process. Used by the helper, which has one thread and little memory, so that
/// fork() is cheap and safe.
namespace ringway {

struct SpawnedProgram {
  pid_t pid = -1;
  /// Readable when the program has ended.
  UniqueFd ended;
  /// What it and its children write to standard output and error; does not block.
  UniqueFd output;
};

/// `request.words[0]` as it is, without a search in PATH. What it cannot be run for is the first
/// line of its output, and its exit status 127.
Result<SpawnedProgram> spawn_program(const ProgramRequest& request,
                                     const ProgramIdentity& identity);

/// Overwrites texts that may hold passwords.
void wipe_texts(std::vector<std::string>& texts);

}  // namespace ringway
