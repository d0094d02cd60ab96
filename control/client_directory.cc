#include "control/client_directory.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/log.h"
#include "control/config/client_file.h"
#include "control/config/client_files.h"

namespace ringway {

PlaneAnswer read_own_lines(const std::string& directory, bool is_exclusive,
                           const std::string& common_name) {
  std::vector<std::string> names;
  // Who is called like the file for all has none of its own.
  if (auto own = client_file_name(common_name); own && *own != kDefaultClientFile) {
    names.push_back(std::move(*own));
  }
  if (!is_exclusive) names.emplace_back(kDefaultClientFile);
  for (const std::string& name : names) {
    ClientFileText file = read_client_file(directory, name);
    if (!file.exists) continue;
    if (!file.fault.empty()) {
      return {.for_log = fmt::format("cannot read {}: {}", log::escape(file.where), file.fault)};
    }
    return {.accepted = true, .text = std::move(file.text), .where = std::move(file.where)};
  }
  if (!is_exclusive) return {.accepted = true};
  return {.for_log = fmt::format("ccd-exclusive: it has no file in {}", directory)};
}

}  // namespace ringway
