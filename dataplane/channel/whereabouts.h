#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/channel/failure_budget.h"

namespace ringway {

/// Where the client of one session is, and by which rules that changes ("float", security goal
/// A18; docs/decisions/0007-a-session-follows-its-client.md).
///
/// A session follows an authentic packet that is newer than all before, at most once in kMoveMin;
/// what comes sooner is served all the same, and followed when the time has passed. Where the
/// control thread has refused it to go, it goes when the control thread says so, and not before.
///
/// Pure; owned by one Session, used on its thread.
class Whereabouts {
 public:
  static constexpr Duration kMoveMin = 1s;
  /// Datagrams of this peer from elsewhere that may fail to open in a second, whatever happens to
  /// other peers.
  static constexpr std::uint32_t kFailuresPerSecond = 16;

  explicit Whereabouts(const LinkEndpoint& start) : endpoint_(start) {}

  [[nodiscard]] const LinkEndpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] FailureBudget& failures() { return failures_; }

  /// kMoveMin has passed since the last move, or the last claim.
  [[nodiscard]] bool may_change(Instant now) const {
    return !changed_ || now >= *changed_ + kMoveMin;
  }
  [[nodiscard]] bool is_refused(const LinkEndpoint& there) const { return refused_ == there; }

  void move_to(const LinkEndpoint& there, Instant now) {
    endpoint_ = there;
    changed_ = now;
    claim_.reset();
    if (refused_ == there) refused_.reset();
  }
  /// The client is heard there, and the session stays where it is until that is granted.
  void claim(const LinkEndpoint& there, Instant now) {
    claim_ = there;
    changed_ = now;
  }
  [[nodiscard]] bool claims(const LinkEndpoint& there) const { return claim_ == there; }
  void refuse(const LinkEndpoint& there) { refused_ = there; }

 private:
  LinkEndpoint endpoint_;
  std::optional<LinkEndpoint> claim_;
  std::optional<LinkEndpoint> refused_;
  std::optional<Instant> changed_;
  FailureBudget failures_{kFailuresPerSecond};
};

}  // namespace ringway
