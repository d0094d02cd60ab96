#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "control/channel/control_channel.h"
#include "control/channel/push.h"
#include "control/client_lifetime.h"
#include "dataplane/channel/session_settings.h"

namespace ringway {

/// What the core of a client takes from a PUSH_REPLY; addresses and routes are for its owner. Pure
/// value.
struct ClientPush {
  /// OpenVPN's own when neither end says anything.
  static constexpr Duration kPingRestartDefault = 120s;

  /// What holds where the server pushes nothing.
  struct Defaults {
    Duration ping_interval{0};
    Duration ping_restart = kPingRestartDefault;
    bool ping_exits = false;
    ClientLifetime::Limits lifetime;
    unsigned exit_notify_count = 1;
    /// `passtos`
    bool copies_dscp = false;
    /// IV_PROTO had the bit of the epoch format.
    bool offers_epochs = false;
  };

  Admission admission;
  /// Unset: the server knows us by our address only, and takes DATA_V1.
  PeerId peer_id;
  SessionSettings session;
  /// Silence for `session.ping_restart` is the end (`ping-exit`).
  bool ping_exits = false;
  ClientLifetime::Limits lifetime;
  /// Say goodbye with EXIT on the control channel; otherwise on the data channel.
  bool exit_on_control_channel = false;
  /// How often a goodbye on the data channel is said.
  unsigned exit_notify_count = 1;

  /// The error is a sentence for the user, to be escaped: the server wants what we did not offer.
  static std::expected<ClientPush, std::string> read(const PushReply& reply,
                                                     std::span<const DataCipher> offered,
                                                     const Defaults& defaults);
};

}  // namespace ringway
