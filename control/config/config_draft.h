#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/client_config.h"
#include "control/config/config.h"
#include "control/config/config_lexer.h"

/// What the parser knows between the first line and the last: most options are stored in
/// ServerConfig at once, the others wait here until all lines are known, because OpenVPN's options
/// may stand in any order. Pure values; lives for one parse.
namespace ringway {

/// `N` or `N-M`, both included.
struct PortRange {
  std::uint16_t first = 1194;
  std::uint16_t last = 1194;
};

/// `local ADDRESS [PORTS [PROTO]]`.
struct LocalLine {
  /// Unset for `*`.
  std::optional<IpAddress> address;
  std::optional<PortRange> ports;
  std::string proto;
  std::string where;
};

struct KeepaliveLine {
  Duration interval{0};
  Duration timeout{0};
};

/// What only a client's profile says; see ClientConfig.
struct ProfileDraft {
  std::vector<RemoteConfig> remotes;
  std::optional<LinkFamily> family;  ///< `proto`
  std::uint16_t port = 1194;         ///< `port`, `rport`
  FileOrInline auth_user_pass;
  bool route_nopull = false;
  std::vector<PullFilter> pull_filters;
  std::optional<std::uint32_t> route_metric;
  unsigned exit_notify = 1;
  RetryConfig retry;
  bool persist_tun = false;
};

struct ConfigDraft {
  /// Also where a profile keeps what its options have in common with a server's.
  ServerConfig config;
  ProfileDraft profile;

  std::vector<LocalLine> locals;
  bool locals_from_command_line = false;
  std::string proto = "udp";
  PortRange ports;
  bool bind_ipv6_only = false;

  std::string device_type;
  std::optional<TunnelConfig::MssFix> mssfix;
  bool mode_server = false;

  FileOrInline tls_auth;
  std::optional<int> tls_auth_direction;
  FileOrInline tls_crypt;
  std::optional<int> key_direction;
  std::optional<Digest> auth;
  /// `auth` with a digest that Ringway does not have; matters only with tls-auth.
  std::string auth_unknown;
  std::string ecdh_curve;

  std::optional<KeepaliveLine> keepalive;
  /// `push` lines alone; what other options imply is added at the end.
  std::vector<std::string> push;

  /// Where each option was given last; the keys are all options given.
  std::map<std::string, std::string, std::less<>> places;
  /// `ignore-unknown-option`.
  std::set<std::string, std::less<>> ignorable;
  /// `setenv FORWARD_COMPATIBLE 1`.
  bool ignore_all_unknown = false;
  /// `config` lines being read.
  int nesting = 0;

  [[nodiscard]] bool has(std::string_view option) const { return places.contains(option); }
  /// The place of `option`, or the file when it was not given.
  [[nodiscard]] std::string place_of(std::string_view option) const {
    const auto found = places.find(option);
    return found == places.end() ? config.source : found->second;
  }
};

}  // namespace ringway
