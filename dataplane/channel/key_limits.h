#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "dataplane/channel/packet_id.h"

namespace ringway {

/// How many blocks the confidentiality limit of AES-GCM counts for a packet.
constexpr std::uint64_t gcm_blocks_of(std::size_t size) { return (size + 15) / 16 + 1; }

/// When a key is worn and when it is dead (security goals A20 and A22). Tests bring their own, as
/// nobody waits for 2^36 packets.
struct KeyLimits {
  // Of the short format.

  /// Worn from this packet id on, in either direction: half of the ids are left for the
  /// renegotiation to succeed in.
  std::uint32_t worn_packet_id = std::uint32_t{1} << 31;
  std::uint32_t last_packet_id = PacketIdCounter::kLast;
  /// Worn when so many 16-byte blocks, with one more for each packet, went through AES-GCM in
  /// either direction: seven eighths of the 2^36 of OpenVPN's confidentiality limit.
  std::uint64_t worn_gcm_blocks = ((std::uint64_t{1} << 36) - 1) / 8 * 7;
  /// Forgery attempts: worn at the first, and nothing more is opened from the second on.
  std::uint64_t worn_failed_opens = std::uint64_t{1} << 35;
  std::uint64_t dead_failed_opens = std::uint64_t{1} << 36;
  /// Worn after so many packets, both ways together: `reneg-pkts`. By default never.
  std::uint64_t worn_packets = std::numeric_limits<std::uint64_t>::max();

  // Of the epoch format, where worn keys are followed by the next epoch's, without a negotiation;
  // the limits of forgeries hold for each epoch.

  /// What may be sealed in one epoch under AES-GCM, in blocks as above.
  std::uint64_t epoch_gcm_blocks = (std::uint64_t{1} << 36) - 1;
  /// One less than the 48 bits hold, as with PacketIdCounter::kLast.
  std::uint64_t last_epoch_counter = PacketId::kCounterMask - 1;
};

}  // namespace ringway
