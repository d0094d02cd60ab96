#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace ringway::floor {

/// What stands in front of each inner packet, in place of OpenVPN's DATA_V2 header, packet id and
/// tag: the same size, so that the packets of all tunnels have the same size.
inline constexpr std::size_t kOverhead = 4 + 4 + 16;

/// Datagrams of one size, one behind the other, that go out by one send. Pure.
class Train {
 public:
  /// What Linux takes in one UDP_SEGMENT send.
  static constexpr std::size_t kDatagramsMax = 128;
  static constexpr std::size_t kSizeMax = 65507;

  Train() : memory_(kSizeMax) {}

  /// False when a datagram with this inner packet has to go out by another send than those before.
  [[nodiscard]] bool has_room_for(std::size_t packet_size) const;
  /// Writes the overhead, and returns the place for the packet. Needs has_room_for().
  MutableBytes append(std::size_t packet_size);

  [[nodiscard]] bool is_empty() const { return size_ == 0; }
  [[nodiscard]] Bytes bytes() const { return Bytes(memory_).first(size_); }
  [[nodiscard]] std::size_t segment_size() const { return segment_size_; }
  void clear();

 private:
  std::vector<std::uint8_t> memory_;
  std::size_t size_ = 0;
  std::size_t segment_size_ = 0;
  std::size_t count_ = 0;
  /// A datagram smaller than the others is the last.
  bool is_closed_ = false;
  std::uint32_t packet_id_ = 0;
};

}  // namespace ringway::floor
