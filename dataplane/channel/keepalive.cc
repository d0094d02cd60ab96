#include "dataplane/channel/keepalive.h"

#include <algorithm>

namespace ringway {
namespace {

constexpr std::size_t kOccMagicSize = kExitPayload.size() - 1;
constexpr Instant kNever{Duration::max()};

}  // namespace

PayloadKind classify_payload(Bytes payload) {
  if (std::ranges::equal(payload, kPingPayload)) return PayloadKind::Ping;
  if (std::ranges::equal(payload, kExitPayload)) return PayloadKind::Exit;
  if (payload.size() > kOccMagicSize &&
      std::ranges::equal(payload.first(kOccMagicSize), Bytes(kExitPayload).first(kOccMagicSize))) {
    return PayloadKind::Ignored;
  }
  return PayloadKind::Packet;
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
