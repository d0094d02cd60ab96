#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/opcode.h"
#include "base/time.h"
#include "dataplane/admission/control_packet.h"

namespace ringway {

/// The sending half of one negotiation's reliability layer: a window of messages waiting for their
/// acknowledgements, each with its retransmission deadline (protocol.md 2.2 to 2.4).
///
/// Messages are kept as owned copies of their payload and are wrapped anew at each transmission, so
/// a queued datagram never points into the session (security goals B01, B02). Back-off doubles from
/// tls_timeout and is capped at kBackoffMax (A12). Pure; owned by one KeyNegotiation.
class ReliableSender {
 public:
  /// Stock clients before 2.6 and OpenVPN 3 buffer eight; six is what OpenVPN 2.6 sends.
  static constexpr std::size_t kWindow = 6;
  static constexpr Duration kBackoffMax = 16s;

  struct Message {
    Opcode opcode = Opcode::ControlV1;
    MessageId id;
    /// Borrowed until the next call.
    Bytes payload;
  };

  /// `first_id` is 0, or 1 where the stateless stage has already sent the reset.
  ReliableSender(MessageId first_id, Duration tls_timeout);

  /// False while the oldest outstanding message is kWindow ids old, even if later ones have been
  /// acknowledged: the peer could not buffer what lies beyond its own window.
  [[nodiscard]] bool has_room() const;
  /// has_room() must hold. At most ControlPacket::kPayloadSizeMax bytes.
  void queue(Opcode opcode, Bytes payload, Instant now);
  /// Ids that are not outstanding are ignored. Three acks of later ids make a message due at once.
  void handle_ack(MessageId id, Instant now);
  /// The due message with the lowest id, marked as sent; nothing when none is due.
  std::optional<Message> poll_transmit(Instant now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] bool all_acknowledged() const;
  /// Makes every outstanding message due (first authentic packet of a session).
  void expedite(Instant now);

 private:
  struct Outstanding {
    bool used = false;
    bool sent = false;
    Opcode opcode = Opcode::ControlV1;
    MessageId id;
    Instant due;
    Duration backoff{0};
    std::uint32_t later_acks = 0;
    std::vector<std::uint8_t> payload;
  };
  /// How many ids ago `message` was queued; tells their order across the wrap of the counter.
  [[nodiscard]] std::uint32_t age_of(const Outstanding& message) const {
    return next_id_.value - message.id.value;
  }

  std::array<Outstanding, kWindow> window_;
  MessageId next_id_;
  Duration tls_timeout_;
};

}  // namespace ringway
