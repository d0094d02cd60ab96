#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

namespace ringway {

/// The bell of a thread: an eventfd that any other thread can ring, whether it has a ring of its
/// own or not. The sleeper waits on fd() with a ring, epoll or poll, and calls silence() before it
/// looks at its queues; a worker rings once per batch, not per packet. Non-blocking.
class Wakeup {
 public:
  static Result<Wakeup> open();

  /// Any thread. What the caller pushed into a queue before is seen by the sleeper that wakes.
  void ring() const;
  /// The sleeper: takes all rings so far.
  void silence() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit Wakeup(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ringway
