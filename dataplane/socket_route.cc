#include "dataplane/socket_route.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace ringway {
namespace {

std::unexpected<Error> device_failure(const std::string& device, int error) {
  const std::string where = "bind-dev " + device;
  if (error == ENODEV) {
    return fail("this machine has no such interface", where,
                "correct the name, or start Ringway when the interface is there (`ip link` shows "
                "what there is)");
  }
  if (error == EPERM) {
    return fail("not permitted to bind a socket to the interface", where,
                "start as root or with CAP_NET_RAW");
  }
  return fail(std::string("cannot bind a socket to the interface: ") + std::strerror(error), where);
}

}  // namespace

Result<void> set_socket_route(int fd, const SocketRoute& route) {
  if (!route.device.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, route.device.c_str(),
                                            static_cast<socklen_t>(route.device.size())) != 0) {
    return device_failure(route.device, errno);
  }
  if (route.mark != 0 &&
      ::setsockopt(fd, SOL_SOCKET, SO_MARK, &route.mark, sizeof route.mark) != 0) {
    return fail(std::string("cannot mark what a socket sends: ") + std::strerror(errno),
                "mark " + std::to_string(route.mark),
                errno == EPERM ? "start as root or with CAP_NET_ADMIN" : "");
  }
  return {};
}

}  // namespace ringway
