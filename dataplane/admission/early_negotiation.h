#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "dataplane/admission/wrap_types.h"

/// What clients since 2.6 and servers tell each other with their very first packets, so that a
/// server can do without memory for clients that bring their own key (docs/WIRE.md 3.6, 4.5). Pure.
namespace ringway {

/// A client that can send its wrapped key a second time begins to count here, and so says so.
inline constexpr std::uint32_t kEarlyNegotiationStart = 0x0f00'0001;
constexpr bool announces_early_negotiation(ReplayStamp stamp) {
  return stamp.id >> 24 == kEarlyNegotiationStart >> 24;
}

/// The server's wish for it, as payload of its reset: type 1, length 2, RESEND_WKC.
inline constexpr std::uint8_t kResendWrappedKey[] = {0, 1, 0, 2, 0, 1};

/// Whether a reset's payload says so; unknown elements are skipped. Nothing when it is malformed.
std::optional<bool> asks_for_wrapped_key(Bytes reset_payload);

}  // namespace ringway
