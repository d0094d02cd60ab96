#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "control/client_book.h"
#include "control/control_plane.h"
#include "control/float_judge.h"
#include "control/key_handoff.h"
#include "control/plane_log.h"
#include "control/question_book.h"
#include "control/server_role.h"
#include "dataplane/admission/handshake_cookie.h"
#include "dataplane/admission/handshake_gate.h"

namespace ringway {

/// What is behind a ControlPlane. The functions are in two files:
///
///     control_plane.cc      clients that are known, time, reports, what goes out
///     plane_strangers.cc    who is not known yet: the gate, and the places that it leads to
struct ControlPlane::State {
  State(const ServerConfig& server_config, const TlsWrap& tls_wrap, const TlsContext& tls_context,
        RandomSource& source, std::uint16_t worker_count, std::string_view persisted_leases,
        Now now);

  // control_plane.cc
  Client* client_of(PeerId peer);
  void handle(const KeyWearingOut& report, Now now);
  void handle(const PeerIdle& report, Now now);
  void handle(const PeerExited& report, Now now);
  void handle(const PeerFloated& report, Now now);
  void handle(const EndpointClaimed& report, Now now);

  /// Who was let through, besides its channel.
  struct Newcomer {
    bool is_unproven = false;
    std::optional<std::string> key_metadata;
  };

  // plane_strangers.cc
  void handle_stranger(Bytes datagram, const LinkEndpoint& from, Now now);
  void open_channel(ControlChannel channel, Newcomer newcomer, Bytes datagram,
                    const LinkEndpoint& from, Now now);
  [[nodiscard]] std::optional<std::string> metadata_of(const KeyMetadata& metadata) const;
  void limit_unproven(Now now);
  void note_proof(Client& client);
  void judge_drop(Drop drop, const LinkEndpoint& from);
  void rotate_cookie_key(Now now);
  [[nodiscard]] bool is_proven_half_open_at(const LinkEndpoint& from) const;
  void remove_half_open_at(const LinkEndpoint& from, Now now);

  void count(Drop drop) { ++own_drops[static_cast<std::size_t>(drop)]; }

  const ServerConfig& config;
  const TlsWrap& wrap;
  const TlsContext& tls;
  RandomSource& random;
  ChannelSettings udp_settings;
  ChannelSettings tcp_settings;
  HandshakeCookie cookie;
  /// Checks once more what the workers let through, and makes its keys.
  HandshakeGate gate;
  Instant next_cookie_key;
  ClientBook book;
  KeyHandoff handoff;
  PlaneLog log;
  QuestionBook questions;
  ServerRole role;
  FloatJudge judge;
  /// Clients that may be unproven, the oldest first.
  std::deque<ClientId> unproven;
  std::array<std::uint64_t, kDropCount> own_drops{};
  mutable std::array<std::uint64_t, kDropCount> all_drops{};
  std::optional<Instant> shutdown_started;
};

}  // namespace ringway
