#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "base/unique_fd.h"
#include "control/probe_attempt.h"

namespace ringway {

/// The socket of one attempt. SHELL: nothing blocks; one thread.
///
/// UDP sockets are not connected, so that an answer from another address is seen; what routers say
/// (ICMP) comes by the socket's error queue.
class ProbeSocket {
 public:
  ProbeSocket(const ProbeAttempt::Settings& settings, const TlsWrap& wrap, RandomSource& random);

  /// Sends what is due, and sees whether the time is over.
  void turn();
  /// The socket is ready, as `revents` of poll() says.
  void handle_ready(short revents);

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What to wait for.
  [[nodiscard]] short events() const;
  [[nodiscard]] const ProbeAttempt& attempt() const { return attempt_; }

 private:
  void open();
  void send(Bytes packet);
  void read_datagrams();
  void read_stream();
  /// Whether there were any.
  bool read_errors();
  void fail_with(int error);

  ProbeAttempt::Settings settings_;
  ProbeAttempt attempt_;
  UniqueFd fd_;
  /// TCP.
  bool is_connected_ = false;
  std::vector<std::uint8_t> stream_;
};

}  // namespace ringway
