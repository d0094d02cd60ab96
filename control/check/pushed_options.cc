#include "control/check/pushed_options.h"

#include <algorithm>

#include "control/config/config_lexer.h"

namespace ringway {
namespace {

void add_redirect(const std::vector<std::string>& words, PushedRoutes& pushed) {
  const auto has = [&](std::string_view flag) {
    return std::ranges::find(words, flag) != words.end();
  };
  if (!has("!ipv4")) pushed.redirects_v4 = true;
  if (has("ipv6")) pushed.redirects_v6 = true;
}

void add_route(const std::vector<std::string>& words, PushedRoutes& pushed) {
  if (words.size() < 2) return;
  std::optional<Prefix> route;
  if (words[0] == "route-ipv6") {
    route = Prefix::parse(words[1], /*mask_host_bits=*/true);
  } else if (words.size() > 2) {
    route = Prefix::parse_v4(words[1], words[2]);
  } else if (const auto address = IpAddress::parse(words[1])) {
    route = Prefix::host(*address);
  }
  if (route) pushed.routes.push_back(*route);
}

}  // namespace

PushedRoutes pushed_routes(const ServerConfig& config) {
  PushedRoutes pushed;
  for (const std::string& option : config.push) {
    const auto words = split_config_words(option, "push");
    if (!words || words->empty()) continue;
    const std::string& name = words->front();
    if (name == "redirect-gateway") add_redirect(*words, pushed);
    if (name == "route" || name == "route-ipv6") add_route(*words, pushed);
    if (name == "block-ipv6") pushed.blocks_v6 = true;
  }
  return pushed;
}

}  // namespace ringway
