#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "tun/ip_packet.h"

namespace ringway {

/// An IPv4 packet whose sender lets routers fragment it: without Don't Fragment (RFC 791 2.3).
[[nodiscard]] bool may_be_fragmented(const IpPacket& ip);

/// Cuts an IPv4 packet into fragments (RFC 791 3.2). What is a fragment already is cut further: the
/// last piece is then the last of the whole only if the packet was. The first fragment has all IPv4
/// options, the others those that are marked to be copied (RFC 791 3.1).
///
/// Pure; allocates nothing. Borrows the packet, whose transport checksum is complete, until the
/// last fragment is written.
class Fragmenter {
 public:
  /// No packet becomes more: enough for 64 KiB over a path of 576 bytes.
  static constexpr std::size_t kFragmentsMax = 128;
  /// The smallest limit: every link takes so much (RFC 791 3.2), the largest header and eight
  /// bytes.
  static constexpr std::size_t kLimitMin = 68;

  /// Fragments of at most `limit` bytes, at least kLimitMin. Nothing when the packet may not be
  /// fragmented, or would become more than kFragmentsMax.
  [[nodiscard]] static std::optional<Fragmenter> start(const IpPacket& ip, std::size_t limit);

  [[nodiscard]] std::size_t left_count() const;
  /// 0 when all were written.
  [[nodiscard]] std::size_t next_size() const;
  /// Writes the next fragment to the start of `out`, which has room for next_size() bytes and does
  /// not overlap the packet, and returns the part used. Asserts next_size() > 0.
  MutableBytes write_next(MutableBytes out);

 private:
  explicit Fragmenter(const IpPacket& ip) : ip_(ip) {}
  void find_copied_options();
  /// Bytes of payload in the next fragment.
  [[nodiscard]] std::size_t next_payload() const;
  [[nodiscard]] std::size_t next_header() const;

  IpPacket ip_;
  std::size_t payload_size_ = 0;
  std::size_t limit_ = 0;
  std::size_t written_ = 0;
  bool is_done_ = false;
  /// Header of all fragments but the first, and the options in it.
  std::size_t later_header_ = kIpv4HeaderMin;
  std::array<std::uint8_t, 40> copied_options_{};
};

}  // namespace ringway
