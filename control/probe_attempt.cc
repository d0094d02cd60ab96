#include "control/probe_attempt.h"

#include <algorithm>
#include <array>

#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"

namespace ringway {
namespace {

/// A router's complaint may be about one packet; when the next one meets it, too, it stands.
constexpr unsigned kFailuresMax = 2;

SessionId draw_session_id(RandomSource& random) {
  SessionId id;
  while (id.is_zero()) random.fill(id.bytes);
  return id;
}

}  // namespace

ProbeAttempt::ProbeAttempt(const Settings& settings, const TlsWrap& wrap, RandomSource& random,
                           Now start)
    : settings_(settings),
      wrap_(wrap),
      session_id_(draw_session_id(random)),
      stamp_time_(static_cast<std::uint32_t>(start.wall.seconds)),
      started_(start.instant),
      next_send_(start.instant),
      last_sent_(start.instant) {
  outcome_.target = settings.target;
  outcome_.transport = settings.transport;
}

std::optional<Bytes> ProbeAttempt::poll_transmit(MutableBytes scratch, Now now) {
  const bool is_spent = settings_.transport == ProbeTransport::Tcp && outcome_.sent > 0;
  if (is_done_ || is_spent || now.instant < next_send_) return std::nullopt;
  const ControlPacket reset{.opcode = Opcode::HardResetClientV2, .sender = session_id_};
  std::array<std::uint8_t, ControlPacket::kHeaderSizeMax> plain;
  ByteWriter writer(plain);
  encode_control_packet(reset, writer);
  last_sent_ = now.instant;
  next_send_ = now.instant + kResendInterval;
  ++outcome_.sent;
  return wrap_.wrap(writer.written(), {.id = outcome_.sent, .time = stamp_time_}, scratch);
}

std::optional<Instant> ProbeAttempt::poll_timeout() const {
  if (is_done_) return std::nullopt;
  const Instant limit = started_ + settings_.limit;
  const bool is_spent = settings_.transport == ProbeTransport::Tcp && outcome_.sent > 0;
  return is_spent ? limit : std::min(limit, next_send_);
}

void ProbeAttempt::handle_timeout(Instant now) {
  if (is_done_ || now < started_ + settings_.limit) return;
  if (something_answered_) return end(ProbeVerdict::NotOpenVpn, now);
  end(outcome_.failure ? ProbeVerdict::Unreachable : ProbeVerdict::Silent, now);
}

/// The server's reset: it acknowledges ours, and its sender is the cookie.
bool ProbeAttempt::is_answer(Bytes plain) const {
  const auto packet = decode_control_packet(plain);
  return packet && packet->opcode == Opcode::HardResetServerV2 && packet->ack_count > 0 &&
         packet->acks()[0] == MessageId{0} && packet->receiver == session_id_;
}

void ProbeAttempt::handle_datagram(Bytes datagram, const Endpoint& source, Instant now) {
  std::array<std::uint8_t, 2048> scratch;
  if (is_done_ || datagram.empty() || datagram.size() > scratch.size()) return;
  const auto unwrapped = wrap_.unwrap(datagram, scratch);
  const bool is_ours = unwrapped && is_answer(unwrapped->plain);
  const bool is_unwrapped = !is_ours && wrap_.is_protected() && is_answer(datagram);
  const bool is_right_source = source == settings_.target;
  if (!is_ours && !is_unwrapped) {
    // Whatever a stranger sends here says nothing about the server.
    something_answered_ = something_answered_ || is_right_source;
    return;
  }
  outcome_.source = source;
  outcome_.round_trip = now - last_sent_;
  outcome_.answer_is_unwrapped = is_unwrapped;
  if (is_unwrapped) return end(ProbeVerdict::NotOpenVpn, now);
  end(is_right_source ? ProbeVerdict::Reachable : ProbeVerdict::WrongSource, now);
}

void ProbeAttempt::handle_failure(const ProbeFailure& failure, Instant now) {
  if (is_done_) return;
  outcome_.failure = failure;
  switch (failure.kind) {
    case ProbeFailure::Kind::Refused: return end(ProbeVerdict::Refused, now);
    case ProbeFailure::Kind::Closed: return end(ProbeVerdict::Closed, now);
    case ProbeFailure::Kind::Unreachable:
      // What this host itself does not know, it will not know in a second.
      if (!failure.from || ++failure_count_ >= kFailuresMax) end(ProbeVerdict::Unreachable, now);
      return;
  }
}

void ProbeAttempt::end(ProbeVerdict verdict, Instant now) {
  is_done_ = true;
  outcome_.verdict = verdict;
  outcome_.waited = now - started_;
}

}  // namespace ringway
