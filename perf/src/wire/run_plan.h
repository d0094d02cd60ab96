#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/time.h"
#include "perf/src/wire/inner_packet.h"

namespace ringway::wire {

/// One measurement: who sends what, and how the network cards hand it over. Value.
struct RunPlan {
  enum class Direction : std::uint8_t { Up, Down };

  Direction direction = Direction::Up;
  InnerKind inner = InnerKind::Tcp;
  /// The first so many of the fleet.
  std::uint32_t clients = 1;
  /// Of a whole inner packet.
  std::size_t packet_size = 1400;
  /// How many packets one write hands over; 1: packet by packet.
  std::size_t train = 1;
  /// Packet by packet: how many of one client follow each other.
  std::size_t burst = 1;
  /// The cards take super-packets: TSO and USO of the outer one, and of the inner one.
  bool outer_offloads = false;
  bool inner_offloads = false;
  /// Packets under way at once.
  std::size_t window = 256;
  /// Every how many-th frame that comes out is looked at byte by byte.
  std::uint32_t sample = 64;
  /// Time that is measured, without what passes between two blocks.
  Duration duration = 1s;

  /// "direction=down clients=100 size=64 ..." in any order; what is not named keeps its default.
  /// The error names the word that means nothing.
  static std::expected<RunPlan, std::string> parse(std::string_view words);
};

}  // namespace ringway::wire
