#include "dataplane/channel/keepalive.h"

#include <algorithm>

namespace ringway {
namespace {

constexpr std::uint8_t kOccMtuRequest = 4;
constexpr std::uint8_t kOccMtuReply = 5;
constexpr Instant kNever{Duration::max()};

}  // namespace

PayloadKind classify_payload(Bytes payload) {
  if (std::ranges::equal(payload, kPingPayload)) return PayloadKind::Ping;
  if (std::ranges::equal(payload, kExitPayload)) return PayloadKind::Exit;
  if (payload.size() <= kOccMagic.size() ||
      !std::ranges::equal(payload.first(kOccMagic.size()), kOccMagic)) {
    return PayloadKind::Packet;
  }
  const std::uint8_t opcode = payload[kOccMagic.size()];
  if (opcode == kOccMtuRequest) return PayloadKind::MtuRequest;
  if (opcode == kOccMtuReply && payload.size() == kMtuReplySize) return PayloadKind::MtuReply;
  return PayloadKind::Ignored;
}

bool PingTimer::take_idle_notice(Instant now) {
  if (ping_restart_ == Duration{0} || now < idle_at()) return false;
  idle_noticed_ = now;
  return true;
}

Instant PingTimer::deadline() const {
  const Instant ping_at = ping_interval_ == Duration{0} ? kNever : last_sent_ + ping_interval_;
  return std::min(ping_at, ping_restart_ == Duration{0} ? kNever : idle_at());
}

Instant PingTimer::idle_at() const {
  return std::max(last_received_, idle_noticed_) + ping_restart_;
}

}  // namespace ringway
