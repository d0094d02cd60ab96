#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace ringway {

/// The file of `writepid`: our process id, there as long as we run. Move-only; removed by the
/// destructor, where the directory still lets us. SHELL.
class PidFile {
 public:
  /// An empty path writes nothing. Call before privileges are dropped.
  static Result<PidFile> write(std::string path);
  PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PidFile& operator=(PidFile&&) = delete;
  ~PidFile();

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace ringway
