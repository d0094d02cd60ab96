#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/config/config.h"

/// What a client's profile says, after parsing. Pure values.
namespace ringway {

/// The server, as the profile names it.
struct RemoteConfig {
  /// A name or a literal address.
  std::string host;
  std::uint16_t port = 1194;
  LinkFamily family = LinkFamily::Both;
  std::string where;
};

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
  /// Failed attempts in a row before the client gives up; unset: never.
  std::optional<std::uint32_t> attempts_max;
};

struct ClientConfig {
  std::string source;  ///< the profile's path
  RemoteConfig remote;
  TlsConfig tls;
  WrapConfig wrap;
  /// Two lines: name and password.
  FileOrInline auth_user_pass;
  std::vector<DataCipher> data_ciphers;
  /// Unset: the fastest that passes its test, for each cipher.
  std::optional<AeadEngine> aead_engine;

  /// Device, MTU and routes of the profile itself; what the server pushes comes on top.
  TunnelConfig tunnel;
  bool mssfix_given = false;
  std::optional<std::uint32_t> route_metric;
  /// `route-nopull`: pushed routes are left aside.
  bool route_nopull = false;
  std::vector<PullFilter> pull_filters;
  bool persist_tun = false;

  TimerConfig timers;
  /// How often a goodbye on the data channel is said.
  unsigned exit_notify = 1;
  RetryConfig retry;

  /// Which offloads are wanted; a client has one worker.
  WorkerConfig worker;
  std::uint32_t send_buffer = 0;     ///< sndbuf, bytes; 0: Ringway's choice
  std::uint32_t receive_buffer = 0;  ///< rcvbuf

  std::string log_file;
  bool log_append = false;
  int verb = 1;
  std::string write_pid_file;
  std::string working_directory;  ///< `cd`

  /// What start-up says about options that were accepted without effect and the like.
  std::vector<std::string> notes;
};

}  // namespace ringway
