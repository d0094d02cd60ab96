#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringway {

/// Every reason why a datagram or an inner packet dies. Each has a counter of this name; none is
/// ever a log line. Add reasons here, in their group; kDropNames follows the same order.
enum class Drop : std::uint8_t {
  // Any datagram.
  Truncated,
  Oversize,
  UnknownOpcode,
  // Data channel, link to tun.
  UnknownPeer,
  UnknownKey,
  BadTag,
  Replay,
  WrongEndpoint,
  MalformedInner,
  SpoofedSource,
  MartianDestination,
  ClientToClientOff,
  IllegalEcn,
  // Data channel, tun to link.
  NoRoute,
  NoKey,
  KeyExhausted,
  TooBig,
  BadVnetHeader,
  // Control channel, before a session exists.
  BadWrap,
  BadCookie,
  BadReset,
  RateLimited,
  HalfOpenLimit,
  StaleClientKey,
  // Control channel, within a session.
  ControlReplay,
  ForeignSession,
  BadAck,
  OutsideWindow,
  WrongKeyId,
  BadMessage,
  // The shells.
  QueueFull,
  QueueOverflow,
  Sojourn,
  NoBuffer,
  SendFailed,
  TunWriteFailed,
  kCount,
};

inline constexpr std::size_t kDropCount = static_cast<std::size_t>(Drop::kCount);

inline constexpr std::string_view kDropNames[] = {"truncated",
                                                  "oversize",
                                                  "unknown_opcode",
                                                  "unknown_peer",
                                                  "unknown_key",
                                                  "bad_tag",
                                                  "replay",
                                                  "wrong_endpoint",
                                                  "malformed_inner",
                                                  "spoofed_source",
                                                  "martian_destination",
                                                  "client_to_client_off",
                                                  "illegal_ecn",
                                                  "no_route",
                                                  "no_key",
                                                  "key_exhausted",
                                                  "too_big",
                                                  "bad_vnet_header",
                                                  "bad_wrap",
                                                  "bad_cookie",
                                                  "bad_reset",
                                                  "rate_limited",
                                                  "half_open_limit",
                                                  "stale_client_key",
                                                  "control_replay",
                                                  "foreign_session",
                                                  "bad_ack",
                                                  "outside_window",
                                                  "wrong_key_id",
                                                  "bad_message",
                                                  "queue_full",
                                                  "queue_overflow",
                                                  "sojourn",
                                                  "no_buffer",
                                                  "send_failed",
                                                  "tun_write_failed"};
static_assert(sizeof kDropNames / sizeof kDropNames[0] == kDropCount);

constexpr std::string_view name_of(Drop drop) { return kDropNames[static_cast<std::size_t>(drop)]; }

}  // namespace ringway
