#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "dataplane/admission/session_id.h"
#include "dataplane/admission/tls_wrap.h"

namespace ringway {

/// What one address of a server is asked over.
enum class ProbeTransport : std::uint8_t { Udp, Tcp };

/// How an address answered, from the best to the worst.
enum class ProbeVerdict : std::uint8_t {
  Reachable,    ///< a reset that answers ours, from the address asked
  WrongSource,  ///< the same, from another address
  NotOpenVpn,   ///< something answers, and it is not that
  Refused,      ///< nothing listens there: ICMP port unreachable, or a TCP reset
  Closed,       ///< TCP: the connection is made, and ended without an answer
  Unreachable,  ///< a router, or this host itself, knows no way
  Silent,       ///< nothing comes back
};

/// What went wrong on the way, from the kernel. `from` is the router or host that says so; unset:
/// this host.
struct ProbeFailure {
  enum class Kind : std::uint8_t { Refused, Closed, Unreachable } kind = Kind::Unreachable;
  std::string reason;
  std::optional<IpAddress> from;
};

/// What came of one address. Pure value.
struct ProbeOutcome {
  Endpoint target;
  ProbeTransport transport = ProbeTransport::Udp;
  ProbeVerdict verdict = ProbeVerdict::Silent;
  /// From the packet that was answered to its answer.
  std::optional<Duration> round_trip;
  /// Where the answer came from.
  std::optional<Endpoint> source;
  /// The last thing that went wrong on the way.
  std::optional<ProbeFailure> failure;
  /// The answer came without the wrapping that we used.
  bool answer_is_unwrapped = false;
  unsigned sent = 0;
  Duration waited{0};
};

/// One address of a server: the client's first packet, again and again, until the server's answer
/// with its cookie (the session id), an error that ends it, or the time is over. It goes no
/// further, so that the server keeps nothing of it.
///
/// Pure: packets and the time in; packets, a deadline and an outcome out. `wrap` and `random`
/// outlive it.
class ProbeAttempt {
 public:
  static constexpr std::size_t kDatagramSizeMax = 256;
  /// Before a packet is sent again.
  static constexpr Duration kResendInterval = 1s;

  struct Settings {
    Endpoint target;
    ProbeTransport transport = ProbeTransport::Udp;
    /// The whole attempt.
    Duration limit = 5s;
  };
  ProbeAttempt(const Settings& settings, const TlsWrap& wrap, RandomSource& random, Now start);

  /// The next packet, in `scratch`, if one is due. TCP sends one.
  [[nodiscard]] std::optional<Bytes> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  void handle_timeout(Instant now);
  /// What arrived at the socket of this attempt, from wherever.
  void handle_datagram(Bytes datagram, const Endpoint& source, Instant now);
  void handle_failure(const ProbeFailure& failure, Instant now);

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] const ProbeOutcome& outcome() const { return outcome_; }
  /// What our packet carries, and the answer acknowledges.
  [[nodiscard]] const SessionId& session_id() const { return session_id_; }

 private:
  void end(ProbeVerdict verdict, Instant now);
  [[nodiscard]] bool is_answer(Bytes plain) const;

  Settings settings_;
  const TlsWrap& wrap_;
  SessionId session_id_;
  std::uint32_t stamp_time_;
  Instant started_;
  Instant next_send_;
  Instant last_sent_;
  bool is_done_ = false;
  bool something_answered_ = false;
  unsigned failure_count_ = 0;
  ProbeOutcome outcome_;
};

}  // namespace ringway
