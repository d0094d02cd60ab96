#include "control/listener_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringway {
namespace {

/// A name's listener takes part in no port that another line has on the same address.
bool is_served(const std::vector<ListenConfig>& listens, const ListenConfig& wanted) {
  return std::ranges::any_of(listens, [&](const ListenConfig& other) {
    return other.port == wanted.port && other.address == wanted.address &&
           other.scope == wanted.scope;
  });
}

Result<std::vector<Endpoint>> addresses_of(const ListenConfig& listen, const NameLookup& look_up) {
  Result<std::vector<Endpoint>> found = look_up(listen.host, listen.family);
  if (found) return found;
  Error error = found.error();
  error.what = fmt::format("`local {}`: {}", listen.host, error.what);
  error.where = listen.where;
  if (listen.family != LinkFamily::Both) {
    error.advice = fmt::format(
        "check the name, or write `local {} {} udp`, which takes either "
        "family",
        listen.host, listen.port);
  }
  return std::unexpected(std::move(error));
}

}  // namespace

bool is_loopback(const IpAddress& address) {
  if (address.is_v4()) return address.v4_value() >> 24 == 127;
  return address == *IpAddress::parse("::1");
}

Result<std::vector<ListenConfig>> resolve_listeners(const std::vector<ListenConfig>& listens,
                                                    const NameLookup& look_up) {
  std::vector<ListenConfig> resolved;
  std::ranges::copy_if(listens, std::back_inserter(resolved),
                       [](const ListenConfig& listen) { return listen.host.empty(); });
  for (const ListenConfig& listen : listens) {
    if (listen.host.empty()) continue;
    const Result<std::vector<Endpoint>> addresses = addresses_of(listen, look_up);
    if (!addresses) return std::unexpected(addresses.error());
    for (const Endpoint& found : *addresses) {
      ListenConfig one = listen;
      one.address = found.address;
      one.family = found.address.is_v4() ? LinkFamily::V4Only : LinkFamily::V6Only;
      if (found.scope_id != 0) one.scope = std::to_string(found.scope_id);
      if (is_served(resolved, one)) continue;
      if (resolved.size() == kListenersMax) {
        return fail(fmt::format("`local {}` has more addresses than fit: {} listeners are allowed",
                                listen.host, kListenersMax),
                    listen.where, "write `local *`, or the addresses that are meant");
      }
      resolved.push_back(std::move(one));
    }
  }
  return resolved;
}

}  // namespace ringway
