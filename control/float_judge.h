#pragma once

#include <functional>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "control/client_book.h"
#include "control/key_handoff.h"
#include "control/plane_log.h"
#include "control/server_role.h"

namespace ringway {

/// Decides whether a client may be where its worker has heard it ("float", security goal A18), and
/// then moves its control channel there, too.
///
/// A worker follows its clients at once and knows its own sessions only; here all sessions are
/// known. An endpoint has one client that lives there. Another is let in when the first is not
/// heard there any more, or has shown the same certificate; otherwise its worker is told to go
/// back. docs/decisions/0007-a-session-follows-its-client.md says why.
///
/// Pure; used by one thread; owned by a ControlPlane together with what it refers to.
class FloatJudge {
 public:
  /// A client that was heard elsewhere counts as gone from its endpoint for so long: as its worker
  /// repeats the claim each second, for as long as that is so.
  static constexpr Duration kClaimLife = 3s;
  /// So many of its ping intervals without a sign of life, and a client counts as gone.
  static constexpr int kSilentPings = 2;
  /// How often a refusal of one client is logged.
  static constexpr Duration kRefusalLogInterval = 60s;

  /// When something authentic last came from a peer over the data channel, as far as known.
  using LastHeard = std::function<std::optional<Instant>(PeerId)>;

  struct Surroundings {
    ClientBook& book;
    KeyHandoff& handoff;
    PlaneLog& log;
    ServerRole& role;
  };
  /// `ping` is how often a silent client sends a sign of life; 0 is never.
  FloatJudge(Duration ping, Surroundings around) : ping_(ping), around_(around) {}

  void set_last_heard(LastHeard last_heard) { last_heard_ = std::move(last_heard); }

  /// The client's session is there already, and goes back when that is refused.
  void note_moved(Client& client, const LinkEndpoint& there, Now now);
  /// The client was heard there, and its session goes there when that is granted.
  void note_claimed(Client& client, const LinkEndpoint& there, Now now);

 private:
  [[nodiscard]] Client* resident_at(const LinkEndpoint& there, const Client& newcomer, Now now);
  [[nodiscard]] bool is_at_home(const Client& resident, Now now) const;
  void clear_namesakes(const LinkEndpoint& there, const Client& newcomer, Now now);
  void grant(Client& client, const LinkEndpoint& there, Now now);
  void refuse(Client& client, const Client& resident, const LinkEndpoint& there, Now now);

  Duration ping_;
  Surroundings around_;
  LastHeard last_heard_;
};

}  // namespace ringway
