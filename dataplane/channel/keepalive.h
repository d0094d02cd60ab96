#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace ringway {

/// What all of OpenVPN's "OCC" messages begin with; an opcode follows.
inline constexpr std::array<std::uint8_t, 16> kOccMagic = {
    0x28, 0x7f, 0x34, 0x6b, 0xd4, 0xef, 0x7a, 0x81, 0x2d, 0x56, 0xb8, 0xd3, 0xaf, 0xc5, 0x45, 0x9c};

/// The payload of a ping: exactly these bytes, never answered. The first nibble, an IP version that
/// does not exist, keeps it apart from packets.
inline constexpr std::array<std::uint8_t, 16> kPingPayload = {
    0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb, 0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48};

/// OpenVPN's "OCC" message EXIT, by which a client without control-channel exit says goodbye: the
/// magic of all OCC messages, then opcode 6.
inline constexpr std::array<std::uint8_t, 17> kExitPayload = {0x28, 0x7f, 0x34, 0x6b, 0xd4, 0xef,
                                                              0x7a, 0x81, 0x2d, 0x56, 0xb8, 0xd3,
                                                              0xaf, 0xc5, 0x45, 0x9c, 0x06};

/// OCC MTU_REPLY: the magic, opcode 5, and the largest datagrams received and sent.
inline constexpr std::size_t kMtuReplySize = kOccMagic.size() + 5;
/// OCC MTU_REQUEST: the magic, opcode 4, and whatever makes it as large as it shall be.
inline constexpr std::size_t kMtuRequestSizeMin = kOccMagic.size() + 1;

/// What the payload of an opened data packet is.
enum class PayloadKind : std::uint8_t {
  Packet,      ///< for the inner network, as far as can be told
  Ping,        ///< has done its work by being authentic
  Exit,        ///< the peer leaves
  MtuRequest,  ///< of any length: the peer asks what it was that got through
  MtuReply,    ///< the answer
  Ignored,     ///< another OCC message: a TLS server owes no answer to any
};

/// Messages are matched in full length, so that no packet and no padded message passes for one
/// (security goal C06); only a request of MTU is padded by its nature. Pure.
PayloadKind classify_payload(Bytes payload);

/// When to send a ping, and when the peer has been silent for too long. Pure value; a Duration of 0
/// means never.
class PingTimer {
 public:
  PingTimer(Duration ping_interval, Duration ping_restart, Instant now)
      : ping_interval_(ping_interval),
        ping_restart_(ping_restart),
        last_sent_(now),
        last_received_(now),
        idle_noticed_(now) {}

  /// Other times from now on; what was heard so far counts as heard now.
  void change(Duration ping_interval, Duration ping_restart, Instant now) {
    ping_interval_ = ping_interval;
    ping_restart_ = ping_restart;
    last_received_ = idle_noticed_ = now;
  }

  /// Anything at all was sent or, after authentication, received.
  void note_sent(Instant now) { last_sent_ = now; }
  void note_received(Instant now) { last_received_ = now; }

  [[nodiscard]] bool ping_is_due(Instant now) const {
    return ping_interval_ != Duration{0} && now >= last_sent_ + ping_interval_;
  }
  /// True once in each ping_restart that passes without anything received.
  [[nodiscard]] bool take_idle_notice(Instant now);
  /// The earlier of both; far in the future when neither is wanted.
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Instant last_received() const { return last_received_; }

 private:
  [[nodiscard]] Instant idle_at() const;

  Duration ping_interval_;
  Duration ping_restart_;
  Instant last_sent_;
  Instant last_received_;
  Instant idle_noticed_;
};

}  // namespace ringway
