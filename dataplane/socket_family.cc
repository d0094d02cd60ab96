#include "dataplane/socket_family.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace ringway {
namespace {

bool kernel_has_ipv6(Transport transport) {
  const int type = transport == Transport::Udp ? SOCK_DGRAM : SOCK_STREAM;
  return UniqueFd(::socket(AF_INET6, type | SOCK_CLOEXEC, 0)) || errno != EAFNOSUPPORT;
}

}  // namespace

std::string ListenPlace::to_string() const {
  const std::string protocol = transport == Transport::Udp ? "UDP" : "TCP";
  if (address) return Endpoint{*address, port}.to_string() + " (" + protocol + ")";
  const std::string port_text = "port " + std::to_string(port) + " (" + protocol;
  switch (family) {
    case SocketFamily::V4Only: return port_text + ", IPv4)";
    case SocketFamily::V6Only: return port_text + ", IPv6)";
    case SocketFamily::Both: break;
  }
  return port_text + ")";
}

Error explain_bind_failure(int error_number, const ListenPlace& place) {
  Error error{.what = "cannot listen", .where = place.to_string(), .advice = {}};
  switch (error_number) {
    case EADDRINUSE:
      error.what = "the port is in use by another process";
      error.advice = std::string("stop it, or choose another port; `ss ") +
                     (place.transport == Transport::Udp ? "-lunp" : "-ltnp") + "` shows who has it";
      break;
    case EADDRNOTAVAIL:
      error.what = "this machine does not have the address";
      error.advice =
          "correct `local`, or give the address to an interface before the start "
          "(`ip addr` shows what there is)";
      break;
    case ENODEV:
      error.what = "there is no such interface";
      error.advice = "write the interface of the link-local address after %, as fe80::1%eth0";
      break;
    case EACCES:
    case EPERM:
      error.what = "not permitted to use the port";
      error.advice = place.port < 1024 ? "ports below 1024 need root or CAP_NET_BIND_SERVICE"
                                       : "a security policy forbids it";
      break;
    default: error.what += std::string(": ") + std::strerror(error_number); break;
  }
  return error;
}

Result<KernelFamily> kernel_family(const ListenPlace& place) {
  const std::string proto = place.transport == Transport::Udp ? "udp" : "tcp";
  bool ipv6 = place.family != SocketFamily::V4Only;
  if (place.address) {
    const bool v4 = place.address->is_v4();
    if (place.family == (v4 ? SocketFamily::V6Only : SocketFamily::V4Only)) {
      return fail("the address is not of the family that was asked for", place.to_string(),
                  "use `proto " + proto + "` or `proto " + proto + (v4 ? "4`" : "6`"));
    }
    ipv6 = !v4;
  }
  if (!ipv6 || kernel_has_ipv6(place.transport)) return KernelFamily{.ipv6 = ipv6};
  if (place.address || place.family == SocketFamily::V6Only) {
    return fail(
        "the kernel has no IPv6", place.to_string(),
        "remove ipv6.disable=1 from the kernel's command line, or use `proto " + proto + "4`");
  }
  return KernelFamily{.ipv6 = false, .without_ipv6 = true};
}

}  // namespace ringway
