#include "control/key_handoff.h"

#include <utility>

namespace ringway {

void KeyHandoff::add_session(PeerId peer, const LinkEndpoint& endpoint,
                             const SessionSettings& settings) {
  const AddSession command{.peer_id = peer, .endpoint = endpoint, .settings = settings};
  if (settings.data_v2) return to_owner(peer, command);
  // DATA_V1 packets name no peer: every worker has to know whose they are by their endpoint.
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = command});
  }
}

void KeyHandoff::install_keys(PeerId peer, DataKeys keys) {
  to_owner(peer, InstallKeys{.peer_id = peer, .keys = std::move(keys)});
}

void KeyHandoff::confirm_key(PeerId peer, KeyId key_id) {
  to_owner(peer, ConfirmKey{.peer_id = peer, .key_id = key_id});
}

void KeyHandoff::move_session(PeerId peer, const LinkEndpoint& endpoint) {
  to_owner(peer, MoveSession{.peer_id = peer, .endpoint = endpoint});
}

void KeyHandoff::refuse_endpoint(PeerId peer, const LinkEndpoint& refused,
                                 const LinkEndpoint& endpoint) {
  to_owner(peer, RefuseEndpoint{.peer_id = peer, .refused = refused, .endpoint = endpoint});
}

void KeyHandoff::remove_session(PeerId peer, bool data_v2) {
  if (data_v2) return to_owner(peer, RemoveSession{.peer_id = peer});
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = RemoveSession{.peer_id = peer}});
  }
}

void KeyHandoff::add_route(const Prefix& prefix, PeerId peer) {
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = AddRoute{.prefix = prefix, .peer_id = peer}});
  }
}

void KeyHandoff::remove_route(const Prefix& prefix, PeerId peer) {
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = RemoveRoute{.prefix = prefix, .peer_id = peer}});
  }
}

template <typename Command>
void KeyHandoff::to_hearers(const Command& command) {
  if (command.endpoint.is_tcp()) {
    const WorkerId owner = owner_of(command.endpoint.connection, worker_count_);
    pending_.push_back({.worker = owner, .command = command});
    return;
  }
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = command});
  }
}

void KeyHandoff::tell(const KnowChannel& command) { to_hearers(command); }

void KeyHandoff::tell(const ForgetChannel& command) { to_hearers(command); }

void KeyHandoff::install_cookie_key(const CookieKey& key) {
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = InstallCookieKey{.key = key.copy()}});
  }
}

void KeyHandoff::close_gates() {
  for (std::uint16_t i = 0; i < worker_count_; ++i) {
    pending_.push_back({.worker = {i}, .command = CloseGate{}});
  }
}

std::optional<AddressedCommand> KeyHandoff::poll() {
  if (pending_.empty()) return std::nullopt;
  AddressedCommand command = std::move(pending_.front());
  pending_.pop_front();
  return command;
}

void KeyHandoff::to_owner(PeerId peer, WorkerCommand command) {
  pending_.push_back({.worker = owner_of(peer, worker_count_), .command = std::move(command)});
}

}  // namespace ringway
