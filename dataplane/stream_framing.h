#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/drop.h"

/// OpenVPN over TCP: in front of each packet stands its length (docs/WIRE.md, "TCP").
///
///     length 2 | packet exactly as in a UDP datagram
///
/// The length does not count itself. After one that is wrong nothing tells where the next begins,
/// so the connection is of no use any more.
namespace ringway {

inline constexpr std::size_t kFrameHeaderSize = 2;

/// Takes the first datagram off `stream`, where it lies; nothing, and `stream` is unchanged, while
/// it is not whole. An error: its length is zero or above `datagram_size_max`, and the connection
/// has to be closed. Pure.
[[nodiscard]] std::expected<std::optional<MutableBytes>, Drop> take_framed(
    MutableBytes& stream, std::size_t datagram_size_max);

/// Writes the header for a datagram of `size` bytes, 1..65535, to `to`.
void write_frame_header(MutableBytes to, std::size_t size);

/// What has come of a frame that is not whole: kept while nothing more comes, so that who sends a
/// byte now and then holds no more memory than that of one frame.
///
/// What comes next is received behind room() bytes, into which join() puts what was kept: the frame
/// is then whole in one place, and is opened there. Pure; allocates in its constructor only.
class StreamRest {
 public:
  explicit StreamRest(std::size_t datagram_size_max)
      : bytes_(std::make_unique<std::uint8_t[]>(room(datagram_size_max))) {
    capacity_ = room(datagram_size_max);
  }

  /// The most that is ever kept: a frame but for its last byte.
  [[nodiscard]] static constexpr std::size_t room(std::size_t datagram_size_max) {
    return kFrameHeaderSize + datagram_size_max - 1;
  }

  /// `memory` is room() bytes and behind them what was received. Returns what was kept and what was
  /// received, in one piece; nothing is kept then.
  [[nodiscard]] MutableBytes join(MutableBytes memory);
  /// Copies what take_framed() left. At most room().
  void keep(Bytes rest);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ringway
