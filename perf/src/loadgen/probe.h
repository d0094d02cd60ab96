#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

namespace ringway::loadgen {

/// What a packet of the steady traffic carries behind its UDP header, to the echo and back:
///
///     magic 4 | run 4 | client 4 | answers 2 | answer 2 | up number 8 | down number 8 |
///     sent at 8 | echoed at 8 | up received 4 | up reordered 4 | up duplicated 4 | filling
///
/// The generator fills in the upper two lines as far as `sent at`; the echo the rest. Both read
/// one machine's monotonic clock, so one-way times are true. Pure value.
struct Probe {
  static constexpr std::size_t kSize = 60;
  static constexpr std::uint16_t kPort = 7007;
  static constexpr std::uint32_t kMagic = 0x72770001;

  /// Tells measurements apart: the echo counts anew for each.
  std::uint32_t run = 0;
  std::uint32_t client = 0;
  /// How many packets of the same size the echo sends back for this one, and which of them this is.
  std::uint16_t answers = 1;
  std::uint16_t answer = 0;
  std::uint64_t up_number = 0;
  std::uint64_t down_number = 0;
  std::int64_t sent_at = 0;
  std::int64_t echoed_at = 0;
  std::uint32_t up_received = 0;
  std::uint32_t up_reordered = 0;
  std::uint32_t up_duplicated = 0;

  static std::optional<Probe> read(Bytes payload);
  /// `payload` has at least kSize bytes; what lies behind them is left alone.
  void write(MutableBytes payload) const;
};

/// Where a client's probes come from and go to; both of one family.
struct ProbePath {
  IpAddress from;
  IpAddress to;
};
[[nodiscard]] std::size_t probe_overhead(const ProbePath& path);
/// An inner packet of `packet.size()` bytes with `probe` in it, checksums included.
void write_probe_packet(const ProbePath& path, const Probe& probe, MutableBytes packet);
/// The probe in an inner packet from the echo.
std::optional<Probe> read_probe_packet(Bytes packet);

}  // namespace ringway::loadgen
