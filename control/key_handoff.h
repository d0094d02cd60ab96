#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/address.h"
#include "base/ids.h"
#include "control/control_plane.h"
#include "dataplane/messages.h"

namespace ringway {

/// What the workers have to be told, in the order in which it is safe to tell them: a session
/// before its keys, keys and routes before the message that lets the client use them, routes away
/// before their session. The order holds because there is one queue and the ControlPlane's owner
/// drains it before it sends anything. Pure; used by one thread.
class KeyHandoff {
 public:
  explicit KeyHandoff(std::uint16_t worker_count) : worker_count_(worker_count) {}

  void add_session(PeerId peer, const LinkEndpoint& endpoint, const SessionSettings& settings);
  void install_keys(PeerId peer, DataKeys keys);
  void confirm_key(PeerId peer, KeyId key_id);
  void move_session(PeerId peer, const LinkEndpoint& endpoint);
  void refuse_endpoint(PeerId peer, const LinkEndpoint& refused, const LinkEndpoint& endpoint);
  /// `data_v2` as it was in the session's settings.
  void remove_session(PeerId peer, bool data_v2);
  /// Routes go to every worker, since any of them may read a packet for any client.
  void add_route(const Prefix& prefix, PeerId peer);
  void remove_route(const Prefix& prefix, PeerId peer);
  /// What concerns a TCP connection goes to its worker, all else to every one.
  void tell(const KnowChannel& command);
  void tell(const ForgetChannel& command);
  void install_cookie_key(const CookieKey& key);
  void close_gates();
  [[nodiscard]] std::optional<AddressedCommand> poll();

 private:
  void to_owner(PeerId peer, WorkerCommand command);
  template <typename Command>
  void to_hearers(const Command& command);

  std::uint16_t worker_count_;
  std::deque<AddressedCommand> pending_;
};

}  // namespace ringway
