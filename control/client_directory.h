#pragma once

#include <string>

#include "control/question.h"

namespace ringway {

/// What `client-config-dir` says of a client: the lines of the file of its name, or of DEFAULT, or
/// none. Refused: there is such a file and it cannot be read; or, with `ccd-exclusive`, there is
/// none of that name. The file may be written, changed and deleted while the server runs.
///
/// SHELL: reads a file. Any thread.
PlaneAnswer read_own_lines(const std::string& directory, bool is_exclusive,
                           const std::string& common_name);

}  // namespace ringway
