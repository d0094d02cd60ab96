#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "control/config/config_lexer.h"
#include "control/config/config_parser.h"

namespace {

using namespace ringway;

std::string without_comments(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const std::size_t end = text.find('\n') + 1;
    if (text.front() != '#') kept += text.substr(0, end);
    text.remove_prefix(end);
  }
  return kept;
}

bool has_long_line(std::string_view text) {
  std::size_t length = 0;
  for (const char c : text) {
    length = c == '\n' ? 0 : length + 1;
    if (length > kConfigLineSizeMax) return true;
  }
  return false;
}

/// Inline text is not printed, so a name takes its place.
void name_inline_files(ServerConfig& config) {
  for (FileOrInline* file : {&config.tls.ca, &config.tls.cert, &config.tls.key, &config.tls.dh,
                             &config.tls.crl, &config.wrap.key}) {
    if (file->is_inline) *file = {.path = "file", .text = "", .is_inline = false, .where = ""};
  }
}

void check_error(const Error& error) {
  RW_ASSERT(!error.what.empty());
  RW_ASSERT(!error.where.empty());
  RW_ASSERT(!error.advice.empty());
}

}  // namespace

// The input is cut at NUL bytes: a configuration, a file that it may include, and options of the
// command line. Whatever is refused says where, why and what to do; whatever is accepted prints as
// a configuration that means the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == 0) {
      parts.emplace_back();
    } else {
      parts.back() += static_cast<char>(data[i]);
    }
  }
  const std::string text = parts[0];
  const std::string included = parts.size() > 1 ? parts[1] : "";
  const std::vector<std::string> options(parts.begin() + (parts.size() > 2 ? 2 : 0),
                                         parts.size() > 2 ? parts.end() : parts.begin());
  const FileReader read = [&](const std::string& path) -> Result<std::string> {
    if (path != "included") return fail("cannot open " + path);
    return included;
  };

  Result<ServerConfig> config = parse_server_config(text, "server.conf", options, read);
  if (!config) {
    check_error(config.error());
    return 0;
  }
  name_inline_files(*config);
  const std::string printed = without_comments(print_config(*config));
  if (has_long_line(printed)) return 0;

  const Result<ServerConfig> again = parse_server_config(printed, "printed", {}, read);
  RW_ASSERT(again.has_value());
  RW_ASSERT(without_comments(print_config(*again)) == printed);
  return 0;
}
