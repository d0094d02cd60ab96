#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/unique_fd.h"
#include "dataplane/icmp_hint.h"

namespace ringway {

/// Hears of ICMP messages that say what a path carries, for all sockets of the host at once.
///
/// SHELL: two raw sockets, and not the error queues of the UDP sockets: there one forged message
/// about one peer makes the next send to another fail, and this one needs CAP_NET_RAW instead. The
/// kernel filters by type and drops what is too much: the queues are short on purpose.
/// Move-only; one thread.
class IcmpListener {
 public:
  /// Without IPv6 there is only the other half. The error says what is missing; nothing but quick
  /// reactions is lost then.
  static Result<IcmpListener> open();

  /// The next message; nothing when there are no more.
  [[nodiscard]] std::optional<IcmpHint> take();
  /// Both may be polled for reading; -1: there is none.
  [[nodiscard]] int v4_fd() const { return v4_.get(); }
  [[nodiscard]] int v6_fd() const { return v6_.get(); }

 private:
  IcmpListener(UniqueFd v4, UniqueFd v6) : v4_(std::move(v4)), v6_(std::move(v6)) {}
  UniqueFd v4_;
  UniqueFd v6_;
};

}  // namespace ringway
