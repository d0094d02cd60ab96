#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/ids.h"
#include "dataplane/admission/handshake_limits.h"
#include "dataplane/admission/tls_wrap.h"
#include "dataplane/channel/aead_engines.h"
#include "dataplane/channel/key_limits.h"

namespace ringway {

/// What strangers meet at a worker. Pure value; the wrapping outlives who is given it, and is
/// shared read-only by all workers and the control thread.
struct AdmissionSettings {
  const TlsWrap* wrap = nullptr;
  Duration hand_window{60s};
  /// Of all workers together. The hash is DatapathSettings::address_hash.
  HandshakeLimits::Settings limits;
};

/// What one worker's core is told at start. Pure value.
struct DatapathSettings {
  WorkerId self;
  std::uint16_t worker_count = 1;
  bool client_to_client = false;
  /// The server's own inner addresses and the tunnel networks: what a client may not claim, and
  /// (without client_to_client) may not reach in other clients.
  std::optional<IpAddress> own_v4;
  std::optional<IpAddress> own_v6;
  std::optional<Prefix> pool_v4;
  std::optional<Prefix> pool_v6;
  /// Largest inner packet.
  std::uint16_t tun_mtu = 1500;
  /// Room is made for so many sessions at start. A peer id for which that is too little makes the
  /// tables grow, while its command is handled.
  std::uint32_t sessions_max = 1024;
  /// The key of every table that is indexed by addresses. Random, drawn once a process (security
  /// goal A23); a simulation takes a fixed one.
  AddressHash address_hash;
  /// Unset: control datagrams all go to the control thread, which checks them itself.
  std::optional<AdmissionSettings> admission;
  /// Which library computes which cipher; each datapath prepares its own engines.
  AeadChoice aead;
  /// What a key may do. Not configured; for tests.
  KeyLimits key_limits;

  [[nodiscard]] bool is_own(const IpAddress& address) const {
    return address == own_v4 || address == own_v6;
  }
  [[nodiscard]] bool is_in_pool(const IpAddress& address) const {
    return (pool_v4 && pool_v4->contains(address)) || (pool_v6 && pool_v6->contains(address));
  }
};

}  // namespace ringway
