#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/config.h"

/// What one client gets that not all get: of its file in `client-config-dir`, and of what a
/// `client-connect` program writes. Pure values; control/config/client_file.h reads the lines.
namespace ringway {

/// One change of what is pushed. They are made in the order of the lines, to a copy of the server's
/// list: what was removed may be pushed again, with another value.
struct PushEdit {
  enum class Kind : std::uint8_t {
    Add,     ///< `push`
    Remove,  ///< `push-remove`: all that begin so; `ifconfig` and `ifconfig-ipv6` as a whole word
    Reset,   ///< `push-reset`
  };
  Kind kind = Kind::Add;
  std::string text;
};

/// `ifconfig-push`.
struct FixedAddressV4 {
  IpAddress address;
  /// Unset: that of the tunnel's network.
  std::optional<IpAddress> netmask;
  /// What the client is told instead, where a NAT lies between.
  std::optional<IpAddress> alias;
  /// The line, for messages.
  std::string where;
};

/// `ifconfig-ipv6-push`.
struct FixedAddressV6 {
  IpAddress address;
  /// Unset: that of the tunnel's network.
  std::optional<std::uint8_t> length;
  /// The other end, as the client is told; unset: the server's own.
  std::optional<IpAddress> remote;
  std::string where;
};

/// `iroute`, `iroute-ipv6`: a network behind the client.
struct ClientRoute {
  Prefix network;
  std::string where;
};

/// `data-ciphers`: of the server's those that the client may have, the best first.
struct ClientCiphers {
  std::vector<DataCipher> ciphers;
  std::string where;
};

struct ClientTerms {
  /// The line of `disable`; empty: there is none.
  std::string disabled_at;
  std::optional<FixedAddressV4> v4;
  std::optional<FixedAddressV6> v6;
  std::vector<ClientRoute> routes;
  std::vector<PushEdit> push;
  /// Unset, here and below: as for all.
  std::optional<ClientCiphers> ciphers;
  std::optional<std::uint32_t> routes_max;
  std::optional<Duration> ping;
  std::optional<Duration> ping_restart;
  std::optional<ActivityLimit> inactive;
  std::optional<Duration> session_timeout;
};

}  // namespace ringway
