#pragma once

#include <optional>

#include "base/error.h"
#include "base/unique_fd.h"

namespace ringway {

/// The process's signals as a readable descriptor: SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2.
/// They are blocked for the calling thread and all threads that it starts afterwards, so open it
/// before any other thread runs. SIGPIPE is ignored.
class SignalInbox {
 public:
  static Result<SignalInbox> open();

  /// The next signal that has arrived, if any. Does not block.
  [[nodiscard]] std::optional<int> take();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit SignalInbox(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ringway
