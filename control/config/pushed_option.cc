#include "control/config/pushed_option.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/option_values.h"

namespace ringway {
namespace {

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

/// As a client reads it, which takes quotes and backslashes away, and spaces in front.
std::string name_in(std::string_view option) {
  std::string name;
  for (const char c : option) {
    const bool is_space = c == ' ' || c == '\t';
    if (is_space && !name.empty()) break;
    if (!is_space && c != '"' && c != '\'' && c != '\\') name += c;
  }
  return name.starts_with("--") ? name.substr(2) : name;
}

/// The server sends these itself, with a value for each client.
bool is_per_client(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {
      "ifconfig",       "ifconfig-ipv6",  "peer-id",    "cipher",           "tun-mtu",
      "protocol-flags", "key-derivation", "auth-token", "push-continuation"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace

bool is_compression(std::string_view option) {
  const std::string name = name_in(option);
  return name == "comp-lzo" || (name == "compress" && option != "compress stub-v2");
}

Result<void> check_pushed_option(const ConfigLine& line, const std::string& option) {
  if (line.parameter_count() > 1) {
    const std::string whole = line_text(line).substr(line.name().size() + 1);
    return refused_value(line, "pushes several words where one option is meant",
                         fmt::format("write `push {}`", quote_config_word(whole)));
  }
  const std::string_view name = first_word(option);
  if (name.empty()) return bad_value(line, 1, "an option for the clients in \"double quotes\"");
  if (option.find(',') != std::string::npos) {
    return refused_value(line, "contains a comma, which separates pushed options",
                         "write one `push` line for each option");
  }
  if (is_per_client(name)) {
    return refused_value(line, "is refused: Ringway pushes that itself, with each client's value",
                         "delete the line");
  }
  if (name == "topology" && option != "topology subnet") {
    return refused_value(line, "contradicts the only topology served",
                         "delete the line; `topology subnet` is pushed anyway");
  }
  if (name == "fragment") {
    return refused_value(line, "is refused: no client takes it from a server",
                         "write `mssfix BYTES mtu` for the server");
  }
  return {};
}

}  // namespace ringway
