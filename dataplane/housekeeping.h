#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "dataplane/messages.h"
#include "dataplane/session_table.h"
#include "dataplane/slot_queue.h"

namespace ringway {

/// What time does to the sessions of one worker: pings, silent peers, expired and worn keys, the
/// width of paths; and the reports that come of it.
///
/// Each session has a time before which it needs no look, in one array: the walk over it, at most
/// once in kTick, reads eight bytes a session and touches only those that may have something to do.
/// Packets push the real deadlines back without telling; the look at the session finds out.
///
/// Pure; used on one worker; allocates in watch() only.
class Housekeeping {
 public:
  static constexpr Duration kTick = 1s;
  /// No session goes longer without a look: it is how late a worn key is reported.
  static constexpr Duration kInspectionInterval = 10s;
  static constexpr Duration kIdleInterval = 60s;

  /// `sessions` outlives this.
  explicit Housekeeping(const SessionTable& sessions);

  /// A session is new, or its keys are.
  void watch(const Session& session, Instant now);
  /// A session is about to go: nothing is reported of it any more.
  void forget(Session& session);
  /// The peer has said goodbye. Reported once, however often it says so (security goal B14).
  void note_exit(const Session& session);

  /// The session has moved to where it is now. What is not reported yet is not reported twice.
  void note_float(const Session& session);
  /// The session would have moved there, but for somebody who seems to be there.
  void note_claim(const Session& session, const LinkEndpoint& there);

  void handle_timeout(Instant now);
  [[nodiscard]] Instant poll_timeout() const { return next_walk_; }

  /// A session has a message for its peer.
  void note_message(const Session& session) {
    messages_.push(sessions_.slot_of(session.peer_id()));
  }
  [[nodiscard]] bool has_messages() const { return !messages_.is_empty(); }
  /// A session that has a message, or whose ping is due, each once; null when there are no more.
  [[nodiscard]] Session* next_sender(Instant now);
  [[nodiscard]] std::optional<WorkerReport> poll_report();
  /// What has become of probes since the last call.
  [[nodiscard]] PathMtu::Counts take_path_counts() { return std::exchange(path_counts_, {}); }

 private:
  struct Notes {
    std::optional<KeyId> worn_key;
    std::optional<LinkEndpoint> claimed;
    bool floated = false;
    bool idle = false;
    bool exited = false;
    bool exit_reported = false;
  };

  [[nodiscard]] static std::optional<WorkerReport> next_report(const Session& session,
                                                               Notes& notes);
  void inspect(std::size_t slot, Session& session, Instant now);
  [[nodiscard]] static Instant deadline_of(const Session& session, Instant now);

  const SessionTable& sessions_;
  std::vector<Instant> deadlines_;
  std::vector<Notes> notes_;
  SlotQueue messages_;
  PathMtu::Counts path_counts_;
  SlotQueue reports_;
  Instant last_walk_;
  Instant next_walk_;
};

}  // namespace ringway
