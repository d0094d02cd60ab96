#pragma once

#include <cerrno>
#include <cstdint>

namespace ringway {

/// Whether a request that is meant to last (a receive, a read, the bell) is armed, and if it ended,
/// what it waits for before it is armed again. It ends at the kernel's will: for want of buffers
/// (E03), because completions overflowed (E02), with an error, or for no reason given (E04). Pure.
///
/// Two rules keep a broken socket or a kernel that cries wolf from turning the loop into a spin: a
/// request that failed without having delivered anything waits for the next tick, and one that ran
/// out of buffers waits until there are some. It may have delivered nothing because another request
/// took all of them, and there may be new ones by the time that its end is seen: so it is only
/// after kStarvedMax times in a row that it waits for the tick.
class LastingRequest {
 public:
  static constexpr unsigned kStarvedMax = 16;

  void note_armed() {
    state_ = State::Armed;
    progressed_ = false;
  }
  void note_progress() {
    progressed_ = true;
    starved_ = 0;
  }

  /// The completion without `more`. `result` as in Completion.
  void note_ended(std::int32_t result, bool buffers_available) {
    if (result == -ENOBUFS && !buffers_available) {
      state_ = State::AwaitsBuffers;
    } else if (result >= 0 || progressed_ || (result == -ENOBUFS && ++starved_ < kStarvedMax)) {
      state_ = State::Due;
    } else {
      state_ = State::AwaitsTick;
    }
  }
  void note_buffers_available() {
    if (state_ == State::AwaitsBuffers) state_ = State::Due;
  }
  /// Once a second.
  void note_tick() {
    if (state_ == State::AwaitsTick) state_ = State::Due;
    starved_ = 0;
  }

  [[nodiscard]] bool is_due() const { return state_ == State::Due; }
  [[nodiscard]] bool is_armed() const { return state_ == State::Armed; }

 private:
  enum class State : std::uint8_t { Due, Armed, AwaitsBuffers, AwaitsTick };
  State state_ = State::Due;
  bool progressed_ = false;
  unsigned starved_ = 0;
};

}  // namespace ringway
