#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "tun/fragmenter.h"
#include "tun/segmenter.h"

namespace ringway {

/// The packets of a frame whose sender lets routers fragment, each as large as a path takes at
/// most: segments, and where these do not fit, their fragments.
///
/// Pure; allocates nothing. Borrows the frame's memory, which is overwritten, until the last packet
/// is written.
class FittedPackets {
 public:
  /// `frame` is the memory that `segmenter` was started with, as it stands now. The segments of a
  /// frame for which can_fit() is false must not be larger than `limit`.
  FittedPackets(const Segmenter& segmenter, MutableBytes frame, std::size_t limit);
  /// IPv4 without Don't Fragment, and a limit and segments that a tunnel can have.
  [[nodiscard]] static bool can_fit(const Segmenter& segmenter, std::size_t limit);

  /// The size of the next packet; 0 when all were written.
  [[nodiscard]] std::size_t next_size() const;
  /// Writes the next packet to the start of `out`, which has room for next_size() bytes.
  MutableBytes write_next(MutableBytes out);
  [[nodiscard]] std::uint8_t traffic_class() const { return segmenter_.ip().traffic_class; }
  /// Segments that were cut so far, and the fragments that were written.
  [[nodiscard]] std::size_t cut_count() const { return cut_count_; }
  [[nodiscard]] std::size_t fragment_count() const { return fragment_count_; }

 private:
  void prepare();

  Segmenter segmenter_;
  MutableBytes frame_;
  std::size_t limit_;
  /// Of the segment that is being cut.
  std::optional<Fragmenter> fragments_;
  std::size_t cut_count_ = 0;
  std::size_t fragment_count_ = 0;
};

}  // namespace ringway
