#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "tun/ip_packet.h"
#include "tun/too_big.h"

namespace ringway {

/// Tells the senders of inner packets what is too big, and not too often.
///
/// What is told to a client comes from the tunnel's own address of the family; without one, IPv4
/// has 192.0.0.8, the address of routers that have none (RFC 7600), and IPv6 has nothing, so that
/// nobody is told. What goes into the TUN comes from the destination of the packet that it is
/// about, and not from the tunnel's own address: that is the host's, and the host takes no packet
/// from outside that claims to come from itself; the destination is what every reverse path check
/// expects from this device.
///
/// Pure; used on one worker, or by one client; allocates nothing.
class TooBigAnswers {
 public:
  /// Of a worker, and of a peer: after a burst so many in a second. Senders keep what they are told
  /// for minutes, so that each asks once.
  static constexpr std::int64_t kPerSecond = 2000;
  static constexpr std::int64_t kBurst = 500;
  static constexpr std::int64_t kPeerPerSecond = 100;
  static constexpr std::int64_t kPeerBurst = 50;
  /// Peers whose numbers are equal modulo this share a limit.
  static constexpr std::size_t kPeerLimits = 1024;

  struct Settings {
    std::optional<IpAddress> own_v4;
    std::optional<IpAddress> own_v6;
  };
  struct Occasion {
    /// To whom the answer is charged: whose path it is about, or who sent what is too big.
    PeerId peer;
    /// The largest inner packet that goes through.
    std::size_t path_limit = 0;
    enum class To : std::uint8_t { Tun, Peer };
    To to = To::Tun;
    Instant now;
  };

  explicit TooBigAnswers(const Settings& settings) : settings_(settings) {}

  /// The answer at the head of `out`, which has kTooBigSizeMax bytes; nothing when none may be
  /// given, or not now. `about` has complete checksums.
  [[nodiscard]] std::optional<MutableBytes> answer(MutableBytes out, const IpPacket& about,
                                                   const Occasion& occasion);

 private:
  [[nodiscard]] std::optional<IpAddress> speaker(const IpPacket& about, Occasion::To to) const;
  [[nodiscard]] bool take_turn(PeerId peer, Instant now);

  Settings settings_;
  /// When the limits will have been made up for (the generic cell rate algorithm).
  Instant level_;
  std::array<Instant, kPeerLimits> peer_levels_{};
};

}  // namespace ringway
