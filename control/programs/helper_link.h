#pragma once

#include <poll.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "control/programs/helper_process.h"
#include "control/programs/program_wire.h"

namespace ringway {

/// The server's end of the socket to its helper process. Sending never waits: what the socket does
/// not take is kept, up to kUnsentMax messages, and more of news.
///
/// SHELL: used by the control thread. Without a helper it is lost from the start.
class HelperLink {
 public:
  static constexpr std::size_t kUnsentMax = 4096;
  static constexpr std::size_t kUnsentWithNewsMax = 5 * kUnsentMax;

  HelperLink() = default;
  explicit HelperLink(HelperEnd end) : end_(std::move(end)) {}
  HelperLink(const HelperLink&) = delete;
  HelperLink& operator=(const HelperLink&) = delete;
  /// Tells the helper to finish, and waits for its end for kFarewellMax at most.
  ~HelperLink();
  static constexpr Duration kFarewellMax = 10s;

  /// False when the helper is gone or does not keep up; the request is then not made.
  [[nodiscard]] bool send(const HelperRequest& request);
  /// What the socket did not take before. Call when the socket is writable.
  void flush();
  [[nodiscard]] std::optional<HelperReport> receive();
  /// Waits for the next report, for the start and the end of the server alone.
  [[nodiscard]] std::optional<HelperReport> receive_within(Duration duration);
  /// For poll(); negative when the helper is gone.
  [[nodiscard]] int fd() const { return end_.socket.get(); }
  [[nodiscard]] short poll_events() const {
    return static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT);
  }
  /// The helper and its keeper are gone, and nothing will be answered any more.
  [[nodiscard]] bool is_lost() const { return !end_.socket; }

 private:
  /// One message into `scratch_`, and what came beside it; below 0: none, as errno says.
  ssize_t receive_message(UniqueFd& beside);

  HelperEnd end_;
  std::deque<std::vector<std::uint8_t>> unsent_;
  std::vector<std::uint8_t> scratch_ = std::vector<std::uint8_t>(kHelperMessageMax);
};

}  // namespace ringway
