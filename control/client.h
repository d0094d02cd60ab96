#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/address_pool.h"
#include "control/channel/control_channel.h"
#include "control/channel/peer_info.h"

namespace ringway {

/// Counts the control channels that a server has made; never used twice, so a stale one finds
/// nothing. (OpenVPN's status file calls it "Client ID".)
struct ClientId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const ClientId&, const ClientId&) = default;
};

/// Who a client proved to be at its first negotiation. It must prove to be the same at each later
/// one.
struct ClientIdentity {
  std::string common_name;
  std::string username;
  /// How a revocation list would name its certificate.
  RevokedCertificate certificate;
  std::array<std::uint8_t, 32> certificate_sha256{};
  friend bool operator==(const ClientIdentity&, const ClientIdentity&) = default;
};

/// One control channel and what the server has granted to the client behind it. Owned by the
/// ClientBook; changed by ControlPlane and ServerRole alone; used by one thread.
struct Client {
  enum class Stage : std::uint8_t {
    HalfOpen,   ///< returned the cookie; not authenticated. May be evicted for a newer one
    Admitted,   ///< authenticated; holds a peer id and a lease
    Connected,  ///< keys and routes are with the workers
    Leaving,    ///< granted nothing any more; the channel completes acknowledgements
    Gone,       ///< removed; freed at the end of the turn
  };

  Client(ClientId client_id, const LinkEndpoint& from, ControlChannel opened, Instant now)
      : id(client_id), endpoint(from), channel(std::move(opened)), created(now) {}

  [[nodiscard]] bool is_established() const {
    return stage == Stage::Admitted || stage == Stage::Connected;
  }

  ClientId id;
  LinkEndpoint endpoint;
  ControlChannel channel;
  Instant created;
  Stage stage = Stage::HalfOpen;

  ClientIdentity identity;
  PeerInfo peer_info;
  Admission admission;
  PeerId peer_id;
  Lease lease;
  UnixTime connected_since;
  Instant admitted_at;

  /// Our key-method-2 message was acknowledged: text messages may flow.
  bool is_active = false;
  /// The client asked for a PUSH_REPLY, or announced that it expects one unasked.
  bool push_wanted = false;
  std::optional<Instant> pushed_at;
  /// When a Leaving client is removed; armed once (security goal B14).
  std::optional<Instant> leave_at;
  /// The tunnel's traffic when its use last made us renegotiate (`reneg-bytes`).
  std::uint64_t bytes_at_renegotiation = 0;
  /// When a stranger's reset from this client's endpoint was last answered (security goal A15).
  std::optional<Instant> reset_answered_at;

  // The ClientBook's own.
  bool awaits_transmit = false;
  std::optional<std::list<ClientId>::iterator> evictable;
};

}  // namespace ringway
