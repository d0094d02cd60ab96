#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "control/config/config.h"
#include "control/control_plane.h"
#include "control/programs/helper_link.h"
#include "control/programs/program_desk.h"
#include "dataplane/worker_group.h"

namespace ringway {

/// Whether the configuration names programs, or files that are read while it serves: then with the
/// rights of the start, which are gone, with or without `user`.
[[nodiscard]] bool needs_helper(const ServerConfig& config);
/// The helper process, if it is needed; without a keeper otherwise. Before anything else: it is a
/// copy of this process, and wipes the keys in `config`.
Result<HelperEnd> start_helper_for(ServerConfig& config);

/// The programs of a server: carries questions of the plane to the helper process, and answers
/// back; runs `up` and `down`. Also opens by it what `crl-verify` names.
///
/// SHELL: used by the control thread, which it never makes wait, but at start and at the end.
class ServerPrograms {
 public:
  /// How long the end of the server waits for programs that hear of it.
  static constexpr Duration kFarewellMax = 10s;

  ServerPrograms(const ServerConfig& config, HelperEnd helper);
  ServerPrograms(const ServerPrograms&) = delete;
  ServerPrograms& operator=(const ServerPrograms&) = delete;
  /// Runs `down`, if start() was called: so the device should be gone by then.
  ~ServerPrograms();

  /// The device is there; runs `up` and `route-up`, and waits for their ends.
  Result<void> start(const std::string& device);

  /// Asks what the plane wants to know. Before its commands are delivered: the workers still know
  /// the traffic of a client that leaves.
  void ask(ControlPlane& plane, const WorkerGroup& workers, Now now);
  void take_answers(ControlPlane& plane, Now now);
  /// Waits until the programs that were told of clients have ended.
  void finish();

  /// Has the helper open what `crl-verify` names: poll_opened() will say so. False without a
  /// helper.
  [[nodiscard]] bool ask_to_open();
  [[nodiscard]] std::optional<FileOpened> poll_opened() {
    return std::exchange(opened_, std::nullopt);
  }

  /// For poll(); negative without a helper.
  [[nodiscard]] int fd() const { return link_.fd(); }
  [[nodiscard]] short poll_events() const { return link_.poll_events(); }

 private:
  Result<void> run_and_wait(std::string_view type, const ProgramLine& program, bool is_privileged);
  void take_report(HelperReport report);
  void send_requests();
  /// False when there was none.
  bool give_answers(ControlPlane& plane, Now now);
  void note_loss();
  void write_log();
  void warn_of_lost_news(Now now);

  const ServerConfig& config_;
  HelperLink link_;
  std::optional<ProgramDesk> desk_;
  bool is_loss_told_ = false;
  /// Of ProgramDesk::lost_news(), what the log knows of, and since when.
  std::uint64_t told_lost_news_ = 0;
  std::optional<Instant> lost_news_told_at_;
  bool is_opening_ = false;
  std::optional<FileOpened> opened_;
};

}  // namespace ringway
