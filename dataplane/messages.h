#pragma once

#include <variant>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "dataplane/admission/handshake_cookie.h"
#include "dataplane/admission/session_id.h"
#include "dataplane/channel/data_keys.h"
#include "dataplane/channel/session_settings.h"

/// The whole language between the control thread and the workers. Values, moved through bounded
/// single-producer single-consumer queues.
///
/// The one ordering rule that makes it safe without acknowledgements: a worker lets the kernel post
/// completions, *then* drains its command queue, *then* acts on those completions; the control
/// thread pushes InstallKeys before it sends the message that lets the client use the key. So a
/// packet sealed under a key is processed after the command that installed it.
namespace ringway {

// Control thread -> worker. Session commands go to the owner, routes and hints to all
// workers.

/// A session that speaks DATA_V1 (settings.data_v2 is false) is announced to all workers: its
/// packets name no peer, so whichever worker they reach has to know the owner by their endpoint.
struct AddSession {
  PeerId peer_id;
  LinkEndpoint endpoint;
  SessionSettings settings;
};
struct InstallKeys {
  PeerId peer_id;
  DataKeys keys;
};
/// The negotiation of this key has succeeded: the client has it, too. Keys that are never confirmed
/// open packets and are not used to send.
struct ConfirmKey {
  PeerId peer_id;
  KeyId key_id;
};
/// The client may be where it was last heard, as EndpointClaimed reported: the session follows.
struct MoveSession {
  PeerId peer_id;
  LinkEndpoint endpoint;
};
/// The session, if it has followed its client to `refused`, goes back to `endpoint`, and does not
/// go there again but by MoveSession.
struct RefuseEndpoint {
  PeerId peer_id;
  LinkEndpoint refused;
  LinkEndpoint endpoint;
};
/// To whom AddSession went.
struct RemoveSession {
  PeerId peer_id;
};
struct AddRoute {
  Prefix prefix;
  PeerId peer_id;
};
struct RemoveRoute {
  Prefix prefix;
  PeerId peer_id;
};
/// An ICMP message, which may be forged, said that what goes to this endpoint may have no more than
/// `mtu` bytes. To all workers: who the owner is, is known to the owner.
struct PathHint {
  LinkEndpoint to;
  std::uint16_t mtu = 0;
};
/// The control thread has a control channel for whoever sends from this endpoint under this session
/// id. To all workers, since any of them may get its packets; over TCP, to the connection's. Said
/// again when the client has authenticated. docs/decisions/0010 says why it may be late or lost.
struct KnowChannel {
  LinkEndpoint endpoint;
  SessionId session;
  bool is_established = false;
  /// Somebody is asked about the client: how long it may take is the control thread's to say.
  bool is_awaited = false;
};
/// To whom KnowChannel went.
struct ForgetChannel {
  LinkEndpoint endpoint;
  SessionId session;
};
/// To all workers, before the first slot that the key is for.
struct InstallCookieKey {
  CookieKey key;
};
/// To all workers: the server ends. A stranger who got a cookie now would return it to the next
/// server, which does not know it, and wait a minute.
struct CloseGate {};
struct Stop {};

using WorkerCommand = std::variant<AddSession, InstallKeys, ConfirmKey, MoveSession, RefuseEndpoint,
                                   RemoveSession, AddRoute, RemoveRoute, PathHint, KnowChannel,
                                   ForgetChannel, InstallCookieKey, CloseGate, Stop>;

// Worker -> control thread.

/// The packet-id or usage limit of a key is near: renegotiate.
struct KeyWearingOut {
  PeerId peer_id;
  KeyId key_id;
};
/// Nothing authentic came over the data channel for ping_restart. Repeated each ping_restart.
struct PeerIdle {
  PeerId peer_id;
  Instant last_received;
};
/// The peer said goodbye over the data channel (OCC exit).
struct PeerExited {
  PeerId peer_id;
};
/// The client was heard elsewhere, and its session has followed it: it is at `endpoint` now. At
/// most once in Whereabouts::kMoveMin for a peer. Answered with RefuseEndpoint, or not at all.
struct PeerFloated {
  PeerId peer_id;
  LinkEndpoint endpoint;
};
/// The client was heard at an endpoint that seems to be another's, and its session has stayed where
/// it is. As often as PeerFloated. Answered with MoveSession, or not at all.
struct EndpointClaimed {
  PeerId peer_id;
  LinkEndpoint endpoint;
};

using WorkerReport =
    std::variant<KeyWearingOut, PeerIdle, PeerExited, PeerFloated, EndpointClaimed>;

}  // namespace ringway
