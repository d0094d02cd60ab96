#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/error.h"
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

/// `local ADDRESS|NAME|* [PORTS [PROTO]]`.
struct LocalLine {
  /// Unset for `*` and for a name.
  std::optional<IpAddress> address;
  std::string host;
  std::string scope;
  std::optional<PortRange> ports;
  std::string proto;
  std::string where;
};

/// Why a line, or lines together, cannot be had.
struct ConfigProblem {
  Error error;
  /// An option that Ringway refuses as such, by the option table.
  bool is_refusal = false;
};

/// An option that is accepted and has no effect.
struct IdleOption {
  std::string name;
  std::string where;
  /// The rest of a sentence that begins with the option's name.
  std::string why;
};

/// `ifconfig` or `ifconfig-ipv6`: the server's address and the network that it is in.
struct OwnAddressLine {
  IpAddress address;
  Prefix network;
};

struct KeepaliveLine {
  Duration interval{0};
  Duration timeout{0};
};

/// `proto` of a profile.
struct LinkProtocol {
  LinkFamily family = LinkFamily::Both;
  bool is_tcp = false;
};

/// What a <connection> block may say for its server alone; outside of blocks it holds for all that
/// say nothing else.
struct ConnectionDraft {
  std::optional<LinkProtocol> protocol;     ///< `proto`
  std::optional<std::uint16_t> port;        ///< `port`, `rport`
  std::optional<IpAddress> local;           ///< `local`
  std::optional<std::uint16_t> local_port;  ///< `lport`
  std::optional<bool> bind;                 ///< `bind`, `nobind`
  std::optional<Duration> connect_timeout;
  std::optional<unsigned> exit_notify;
  std::optional<bool> floats;
};

/// One `remote` line and what the block around it says, if there is one.
struct RemoteDraft {
  std::string host;
  std::optional<std::uint16_t> port;
  std::optional<LinkProtocol> protocol;
  std::string where;
  ConnectionDraft block;
};

/// What only a client's profile says; see ClientConfig.
struct ProfileDraft {
  std::vector<RemoteDraft> remotes;
  /// What becomes of them in the end.
  std::vector<RemoteConfig> servers;
  /// Of all servers; while a block is read, of that one.
  ConnectionDraft connection;
  bool remotes_from_command_line = false;
  bool remote_random = false;
  bool remote_random_hostname = false;
  FileOrInline auth_user_pass;
  LoginConfig login;
  LifetimeConfig lifetime;
  bool route_nopull = false;
  std::vector<PullFilter> pull_filters;
  NetworkLines network;
  bool route_noexec = false;
  bool ifconfig_noexec = false;
  bool allow_pull_fqdn = false;
  bool dns_noexec = false;
  std::string undo_directory;
  ScriptConfig scripts;
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
  bool mode_server = false;
  std::optional<OwnAddressLine> ifconfig;
  std::optional<OwnAddressLine> ifconfig_ipv6;
  std::optional<AddressRange> ifconfig_pool;
  std::optional<AddressRange> ifconfig_ipv6_pool;

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

  /// For those who explain a configuration: faults are collected, and reading goes on.
  bool collects = false;
  std::vector<ConfigProblem> problems;
  std::vector<IdleOption> idle;

  /// A step's outcome: as it is, or, when faults are collected, kept and passed over.
  [[nodiscard]] Result<void> settle(Result<void> outcome, bool is_refusal = false) {
    if (outcome || !collects) return outcome;
    problems.push_back({.error = std::move(outcome.error()), .is_refusal = is_refusal});
    return {};
  }

  [[nodiscard]] bool has(std::string_view option) const { return places.contains(option); }
  /// The place of `option`, or the file when it was not given.
  [[nodiscard]] std::string place_of(std::string_view option) const {
    const auto found = places.find(option);
    return found == places.end() ? config.source : found->second;
  }
};

}  // namespace ringway
