#include "control/remote_resolver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

int family_number(LinkFamily family) {
  switch (family) {
    case LinkFamily::Both: return AF_UNSPEC;
    case LinkFamily::V4Only: return AF_INET;
    case LinkFamily::V6Only: return AF_INET6;
  }
  return AF_UNSPEC;
}

struct AddressListDelete {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

Result<std::vector<Endpoint>> resolve_remote(const RemoteConfig& remote) {
  const addrinfo hints{.ai_flags = AI_NUMERICSERV,
                       .ai_family = family_number(remote.family),
                       .ai_socktype = SOCK_DGRAM,
                       .ai_protocol = 0,
                       .ai_addrlen = 0,
                       .ai_addr = nullptr,
                       .ai_canonname = nullptr,
                       .ai_next = nullptr};
  addrinfo* found = nullptr;
  const int failure =
      ::getaddrinfo(remote.host.c_str(), std::to_string(remote.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, AddressListDelete> list(found);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = found; failure == 0 && entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = decode_socket_name(
        {reinterpret_cast<const std::uint8_t*>(entry->ai_addr), entry->ai_addrlen});
    if (endpoint) endpoints.push_back(*endpoint);
  }
  if (!endpoints.empty()) return endpoints;
  const std::string reason = failure != 0 ? ::gai_strerror(failure) : "it has no address";
  return fail(fmt::format("cannot find `remote {}`: {}", remote.host, reason), remote.where,
              remote.family == LinkFamily::Both
                  ? "check the name, or write the server's address"
                  : "check the name, or write `udp`, which takes either family");
}

}  // namespace ringway
