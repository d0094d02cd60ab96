#pragma once

#include <string>
#include <vector>

#include "base/error.h"

/// The files of `client-config-dir`. Does I/O; any thread.
namespace ringway {

/// A client's file as it is now.
struct ClientFileText {
  std::string name;
  /// Its path, for messages.
  std::string where;
  std::string text;
  bool exists = false;
  /// Why it cannot be read though it exists; empty: it was.
  std::string fault;
};

/// Of a file that has more than kClientFileSizeMax bytes, a little more than that. What is no plain
/// file cannot be read.
ClientFileText read_client_file(const std::string& directory, const std::string& name);

/// More are not looked at.
inline constexpr std::size_t kClientFilesMax = 100'000;

/// All that can be read, by name. The error: it is no directory that could be.
Result<std::vector<ClientFileText>> read_client_files(const std::string& directory);

}  // namespace ringway
