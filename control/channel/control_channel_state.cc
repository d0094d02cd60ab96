#include "control/channel/control_channel_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "control/channel/options_string.h"

namespace ringway {
namespace {

/// `max-packet-size`, as OpenVPN bounds it.
constexpr std::size_t kPacketSizeFloor = 154;
constexpr std::size_t kPacketSizeCeiling = 2048;

void keep_earliest(std::optional<Instant>& earliest, std::optional<Instant> other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

ControlChannel::State::State(const ChannelSettings& channel_settings, const TlsContext& tls,
                             RandomSource& random, const TlsWrap& wrap, ControlWire channel_wire)
    : settings(channel_settings),
      tls_context(tls),
      random_source(random),
      options(settings.options),
      first_wrap(wrap),
      wire(std::move(channel_wire)),
      inbox(settings.side) {
  RW_ASSERT(settings.side == tls.side());
  settings.packet_size_max =
      std::clamp(settings.packet_size_max, kPacketSizeFloor, kPacketSizeCeiling);
  if (const auto direction = wrap.key_direction())
    options = with_key_direction(options, *direction);
}

void ControlChannel::State::handle_datagram(Bytes datagram, Now now) {
  if (closed) return;
  std::array<std::uint8_t, ControlWire::kDatagramSizeMax> scratch;
  const auto packet = wire.open(datagram, scratch);
  if (!packet) return count(packet.error());
  last_received = now.instant;

  KeyNegotiation* negotiation = find(packet->key_id);
  if (negotiation == nullptr) negotiation = answer_soft_reset(*packet, now);
  if (negotiation == nullptr) return count(Drop::WrongKeyId);
  const auto accepted = negotiation->handle_packet(*packet, now);
  if (!accepted) count(accepted.error());
  settle(now);
}

void ControlChannel::State::settle(Now now) {
  look_after_login(next != nullptr ? *next : *current);
  settle_exchange(*current, now);
  if (next != nullptr) settle_exchange(*next, now);
  settle_current(now);
  if (closed) return;
  if (next != nullptr) settle_next(now);
  if (closed) return;
  for (KeyNegotiation* const negotiation : negotiations()) {
    if (negotiation != nullptr) take_messages(*negotiation, now);
  }
  flush_messages(now);
}

void ControlChannel::State::handle_timeout(Now now) {
  if (closed) return;
  if (exit_at && now.instant >= *exit_at) return close(closing_reason);
  if (close_at && now.instant >= *close_at) return close(closing_reason);
  if (!active_announced && !close_at && now.instant >= current->started() + settings.hand_window) {
    return close("the handshake took longer than hand-window");
  }
  if (next != nullptr && now.instant >= next->started() + settings.hand_window) abandon_next(now);
  if (closed) return;
  for (Retired& old : retired) {
    if (now.instant >= old.until) old.negotiation.reset();
  }
  if (must_rekey_by && now.instant >= *must_rekey_by) {
    return close("no renegotiation has succeeded for the length of tran-window");
  }
  if (renegotiate_at && now.instant >= *renegotiate_at) renegotiate(now);
  continue_pull(now);
  if (!closed) flush_messages(now);
}

std::optional<Instant> ControlChannel::State::poll_timeout() const {
  if (closed) return std::nullopt;
  std::optional<Instant> earliest;
  for (const KeyNegotiation* const negotiation : negotiations()) {
    if (negotiation != nullptr) keep_earliest(earliest, negotiation->poll_timeout());
  }
  if (!active_announced && !close_at) {
    keep_earliest(earliest, current->started() + settings.hand_window);
  }
  if (next != nullptr) {
    keep_earliest(earliest, next->started() + settings.hand_window);
  } else {
    keep_earliest(earliest, renegotiate_at);
    keep_earliest(earliest, must_rekey_by);
  }
  for (const Retired& old : retired) {
    if (old.negotiation != nullptr) keep_earliest(earliest, old.until);
  }
  keep_earliest(earliest, close_at);
  keep_earliest(earliest, exit_at);
  keep_earliest(earliest, push_request_at);
  keep_earliest(earliest, push_deadline);
  return earliest;
}

std::optional<Bytes> ControlChannel::State::poll_transmit(MutableBytes scratch, Now now) {
  if (closed) return std::nullopt;
  for (KeyNegotiation* const negotiation : negotiations()) {
    ControlPacket packet;
    if (negotiation != nullptr && negotiation->poll_transmit(packet, now.instant)) {
      return wire.seal(packet, scratch);
    }
  }
  return std::nullopt;
}

void ControlChannel::State::close(std::string_view reason) {
  if (closed) return;
  closed = true;
  events.push_back(Closed{.reason = std::string(reason)});
  next.reset();
  current.reset();
  for (Retired& old : retired) old.negotiation.reset();
}

}  // namespace ringway
