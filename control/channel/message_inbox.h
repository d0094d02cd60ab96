#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// Turns the plaintext records of a peer into text messages that are safe to look at: split at
/// NULs, printable, and not more of them than is reasonable (security goal B13).
///
/// Pure; owned by one ControlChannel; fixed size.
class MessageInbox {
 public:
  /// From a client; a client takes what its server says, which may be a long push.
  static constexpr std::uint32_t kMessagesPerSecondMax = 20;

  explicit MessageInbox(Side side) : side_(side) {}

  /// The messages of one record, without their NULs. Dropped and counted are: what follows the last
  /// NUL, as by OpenVPN since 2.6.11; text that is not printable; and what comes too fast. A line
  /// end at the end of a message is forgiven.
  std::vector<std::string> take(std::string_view record, Instant now);

  /// How many were dropped since the last call.
  std::uint32_t take_dropped();

 private:
  [[nodiscard]] bool may_take_another(Instant now);

  Side side_;
  Instant second_start_;
  std::uint32_t taken_ = 0;
  std::uint32_t dropped_ = 0;
};

}  // namespace ringway
