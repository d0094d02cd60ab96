#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/activity_watch.h"
#include "control/address_pool.h"
#include "control/auth_token.h"
#include "control/channel/control_channel.h"
#include "control/channel/peer_info.h"
#include "control/client_id.h"
#include "control/config/client_terms.h"
#include "control/inquiry.h"

namespace ringway {

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
    Verifying,  ///< the same, but has said who it is, and somebody is asked whether that is so
    Joining,    ///< authenticated; holds a peer id and a lease; what it is granted is asked for
    Admitted,   ///< may have keys
    Connected,  ///< keys and routes are with the workers
    Leaving,    ///< granted nothing any more; the channel completes acknowledgements
    Gone,       ///< removed; freed at the end of the turn
  };

  Client(ClientId client_id, const LinkEndpoint& from, ControlChannel opened, Instant now)
      : id(client_id), endpoint(from), channel(std::move(opened)), created(now) {}

  [[nodiscard]] bool is_established() const {
    return stage == Stage::Admitted || stage == Stage::Connected;
  }
  /// When something is due that the channel knows nothing of.
  [[nodiscard]] std::optional<Instant> own_deadline() const {
    std::optional<Instant> deadline = leave_at;
    const std::optional<Instant> give_up = inquiry ? inquiry->give_up_at : std::nullopt;
    for (const std::optional<Instant>& other : {give_up, ends_at, token_due}) {
      if (other && (!deadline || *other < *deadline)) deadline = other;
    }
    return deadline;
  }

  ClientId id;
  LinkEndpoint endpoint;
  ControlChannel channel;
  Instant created;
  Stage stage = Stage::HalfOpen;

  /// What its own tls-crypt-v2 key says of itself, until a program has been asked about it; unset
  /// for clients without such a key, and where no program asks.
  std::optional<std::string> key_metadata;
  ClientIdentity identity;
  PeerCertificate certificate;
  PeerInfo peer_info;
  Admission admission;
  PeerId peer_id;
  Lease lease;
  /// Of its own lines.
  ClientTerms terms;
  UnixTime connected_since;
  Instant admitted_at;
  /// While the server does not know whether a negotiation may give keys.
  std::optional<Inquiry> inquiry;
  std::optional<QuestionId> challenge_question;
  /// Where there are tokens: the login that they prove, when that has lasted as long as it may, and
  /// when the next one is given.
  std::optional<TokenSession> token;
  std::optional<Instant> token_ends;
  std::optional<Instant> token_due;
  /// Its addresses and the networks behind it, but for what `learn-address` has refused.
  std::vector<Prefix> learned;
  /// Of the session that it replaces: what `learn-address` has not been told to forget.
  std::vector<Prefix> inherited;
  /// `client-connect` was asked: `client-disconnect` is due.
  bool is_announced = false;

  /// Our key-method-2 message was acknowledged: text messages may flow.
  bool is_active = false;
  /// The client asked for a PUSH_REPLY, or announced that it expects one unasked.
  bool push_wanted = false;
  std::optional<Instant> pushed_at;
  /// When a Leaving client is removed; armed once (security goal B14). Or one that is_unproven.
  std::optional<Instant> leave_at;
  /// Opened by a reset with a key of its own, without a cookie; not yet heard of again.
  bool is_unproven = false;
  /// When its session ends, and whether enough goes through its tunnel; while it is Connected.
  std::optional<Instant> ends_at;
  std::optional<ActivityWatch> activity;
  /// The tunnel's traffic when its use last made us renegotiate (`reneg-bytes`).
  std::uint64_t bytes_at_renegotiation = 0;
  /// When its session was last refused to follow it elsewhere, and when that was logged.
  std::optional<Instant> heard_elsewhere_at;
  std::optional<Instant> refusal_logged_at;

  // The ClientBook's own.
  bool awaits_transmit = false;
  std::optional<std::list<ClientId>::iterator> evictable;
  /// In which of the two lists that is.
  bool is_evicted_last = false;
};

}  // namespace ringway
