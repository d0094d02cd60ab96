#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"

namespace ringway {

/// Which outer families a socket serves.
enum class SocketFamily : std::uint8_t { Both, V4Only, V6Only };

enum class Transport : std::uint8_t { Udp, Tcp };

/// Where a listening socket is to be, as its settings have it. A value.
struct ListenPlace {
  Transport transport = Transport::Udp;
  /// Unset: every address of the machine.
  std::optional<IpAddress> address;
  std::uint16_t port = 0;
  SocketFamily family = SocketFamily::Both;

  /// For messages: "192.0.2.1:1194 (UDP)", "port 1194 (TCP, IPv4)".
  [[nodiscard]] std::string to_string() const;
};

/// What a failed bind() or listen() means for whoever configured it.
Error explain_bind_failure(int error_number, const ListenPlace& place);

/// The kind of socket that serves a place on this kernel.
struct KernelFamily {
  /// An AF_INET6 socket, which serves IPv4 too unless the place says otherwise.
  bool ipv6 = true;
  /// Both families were wanted, and the kernel has only IPv4.
  bool without_ipv6 = false;
};

/// Asks the kernel by a socket that is closed again. Errors: the address is not of the family; the
/// kernel has no IPv6, and nothing else would do.
Result<KernelFamily> kernel_family(const ListenPlace& place);

}  // namespace ringway
