#include "dataplane/too_big_answers.h"

#include <algorithm>

namespace ringway {
namespace {

/// RFC 7600 4: the IPv4 dummy address.
const IpAddress kRouterWithoutAddress = IpAddress::v4(0xc000'0008);

constexpr Duration interval_of(std::int64_t per_second) { return Duration{1s} / per_second; }
constexpr Duration kInterval = interval_of(TooBigAnswers::kPerSecond);
constexpr Duration kPeerInterval = interval_of(TooBigAnswers::kPeerPerSecond);

bool has_turn(Instant level, Instant now, Duration burst) { return level < now + burst; }

}  // namespace

std::optional<MutableBytes> TooBigAnswers::answer(MutableBytes out, const IpPacket& about,
                                                  const Occasion& occasion) {
  if (!may_be_told_too_big(about)) return std::nullopt;
  const std::optional<IpAddress> from = speaker(about, occasion.to);
  if (!from || !take_turn(occasion.peer, occasion.now)) return std::nullopt;
  return write_too_big(out, about, {.from = *from, .mtu = inner_limit(about, occasion.path_limit)});
}

std::optional<IpAddress> TooBigAnswers::speaker(const IpPacket& about, Occasion::To to) const {
  if (to == Occasion::To::Tun) return about.destination();
  if (about.is_v4()) return settings_.own_v4.value_or(kRouterWithoutAddress);
  return settings_.own_v6;
}

bool TooBigAnswers::take_turn(PeerId peer, Instant now) {
  Instant& peer_level = peer_levels_[peer.value % kPeerLimits];
  if (!has_turn(level_, now, kBurst * kInterval)) return false;
  if (!has_turn(peer_level, now, kPeerBurst * kPeerInterval)) return false;
  level_ = std::max(level_, now) + kInterval;
  peer_level = std::max(peer_level, now) + kPeerInterval;
  return true;
}

}  // namespace ringway
