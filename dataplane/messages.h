#pragma once

#include <variant>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
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

// Control thread -> worker. Session commands go to the owner, routes to all workers.

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
/// Use this key for sending from now on.
struct PromoteKey {
  PeerId peer_id;
  KeyId key_id;
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
struct Stop {};

using WorkerCommand =
    std::variant<AddSession, InstallKeys, PromoteKey, RemoveSession, AddRoute, RemoveRoute, Stop>;

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

using WorkerReport = std::variant<KeyWearingOut, PeerIdle, PeerExited>;

}  // namespace ringway
