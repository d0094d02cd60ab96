#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/config/config.h"
#include "control/config/network_lines.h"

/// What a client's profile says, after parsing. Pure values.
namespace ringway {

/// Where a client's socket is bound; unset and 0: the kernel chooses.
struct LocalBinding {
  std::optional<IpAddress> address;
  std::uint16_t port = 0;
};

/// A server, as a `remote` line or a <connection> block names it, and how it is spoken to.
struct RemoteConfig {
  /// A name or a literal address.
  std::string host;
  std::uint16_t port = 1194;
  LinkFamily family = LinkFamily::Both;
  bool is_tcp = false;
  LocalBinding local;
  /// How long one of its addresses may stay silent.
  Duration connect_timeout{30s};
  /// How often a goodbye on the data channel is said.
  unsigned exit_notify = 1;
  /// `float`: the server may change its address.
  bool floats = false;
  std::string where;
};

inline constexpr std::size_t kRemotesMax = 64;

/// `pull-filter`: what becomes of pushed options that begin with `prefix`. The first that fits
/// counts.
struct PullFilter {
  enum class Action : std::uint8_t { Accept, Ignore, Reject } action = Action::Accept;
  std::string prefix;
};

/// `connect-retry WAIT WAIT_MAX` and `connect-retry-max`.
struct RetryConfig {
  Duration wait{1s};
  /// The wait doubles with each attempt up to this.
  Duration wait_max{300s};
  /// Rounds in a row in which no server could be reached before the client gives up; unset: never.
  std::optional<std::uint32_t> attempts_max;
  /// `resolv-retry`: how long names may stay without an address; unset: for ever.
  std::optional<Duration> resolve_for;
};

/// `auth-retry`: what a client does when name and password are refused.
enum class LoginRetry : std::uint8_t {
  None,        ///< it ends
  NoInteract,  ///< the same again
  Interact,    ///< it asks its user again
};

/// Programs that the client runs, and what they are told besides the usual. Each a command line in
/// the configuration's language; empty: none.
struct ScriptConfig {
  /// `script-security`: 2 and more allow them.
  int security = 1;
  std::string up;
  std::string route_up;
  std::string ipchange;
  std::string route_pre_down;
  std::string down;
  /// `setenv`, each "NAME=VALUE".
  std::vector<std::string> environment;
};

/// How a client logs in besides its certificate.
struct LoginConfig {
  /// `auth-user-pass`, with a file or without one.
  bool is_wanted = false;
  /// `auth-nocache`: what was used is forgotten.
  bool forgets = false;
  LoginRetry retry = LoginRetry::None;
  /// `static-challenge TEXT ECHO`
  std::string challenge;
  bool challenge_echoes = false;
  /// `askpass [FILE]`: the passphrase of the private key; the first line of a file.
  bool asks_passphrase = false;
  FileOrInline passphrase;
};

/// When a client ends by itself; 0: never.
struct LifetimeConfig {
  /// `ping-exit`: what `ping-restart` counts is the end.
  bool ping_exits = false;
  Duration inactive{0};
  std::uint64_t inactive_bytes = 0;
  Duration session{0};
};

struct ClientConfig {
  std::string source;  ///< the profile's path
  /// At least one, in the order in which they are tried.
  std::vector<RemoteConfig> remotes;
  bool remote_random = false;           ///< shuffles them, once
  bool remote_random_hostname = false;  ///< a random label in front of each name
  TlsConfig tls;
  WrapConfig wrap;
  /// The name and, unless it is to be asked, the password: a line each.
  FileOrInline auth_user_pass;
  LoginConfig login;
  std::vector<DataCipher> data_ciphers;
  /// Unset: the fastest that passes its test, for each cipher.
  std::optional<AeadEngine> aead_engine;

  /// Device and MTU of the profile itself; what the server pushes wins.
  TunnelConfig tunnel;
  /// Addresses, routes and name servers; what the server pushes comes on top.
  NetworkLines network;
  bool route_noexec = false;     ///< no routes are set
  bool allow_pull_fqdn = false;  ///< a server may name hosts as destinations of routes
  bool ifconfig_noexec = false;  ///< no addresses are set, and so no routes
  bool dns_noexec = false;       ///< `dns-updown disable`
  /// Where what is to be undone is written; empty: the usual place.
  std::string undo_directory;
  ScriptConfig scripts;
  /// `route-nopull`: pushed routes are left aside.
  bool route_nopull = false;
  std::vector<PullFilter> pull_filters;
  bool persist_tun = false;

  TimerConfig timers;
  LifetimeConfig lifetime;
  RetryConfig retry;

  /// Which offloads are wanted; a client has one worker.
  WorkerConfig worker;
  std::uint32_t send_buffer = 0;     ///< sndbuf, bytes; 0: Ringway's choice
  std::uint32_t receive_buffer = 0;  ///< rcvbuf
  OutsideRoute outside;

  std::string log_file;
  bool log_append = false;
  int verb = 1;
  std::string write_pid_file;
  std::string user;
  std::string group;
  std::string working_directory;  ///< `cd`

  /// What start-up says about options that were accepted without effect and the like.
  std::vector<std::string> notes;
};

}  // namespace ringway
