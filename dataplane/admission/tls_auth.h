#pragma once

#include <expected>
#include <optional>

#include "base/drop.h"
#include "dataplane/admission/hmac_key.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// HMAC protection of control packets:
///
///     opcode 1 | sender 8 | HMAC 20..64 | replay id 4 | time 4 | rest
///
/// The HMAC covers replay id, time, opcode, sender, rest: in this order, not the wire's.
/// Pure; immutable after construction; owns copies of its keys.
class TlsAuth {
 public:
  /// `direction` is this end's key-direction: 0, 1, or none for one key both ways.
  TlsAuth(const StaticKey& key, std::optional<int> direction, Digest digest);

  /// See TlsWrap; the buffers must not overlap. Error: BadWrap, whatever is wrong.
  [[nodiscard]] std::expected<Unwrapped, Drop> unwrap(Bytes datagram, MutableBytes scratch) const;
  Bytes wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const;
  [[nodiscard]] std::size_t overhead() const { return send_key_.size() + kStampSize; }
  [[nodiscard]] std::optional<int> direction() const { return direction_; }

 private:
  /// Opcode and sender.
  static constexpr std::size_t kHeadSize = 9;
  static constexpr std::size_t kStampSize = 8;

  std::optional<int> direction_;
  HmacKey send_key_;
  HmacKey receive_key_;
};

}  // namespace ringway
