#pragma once

#include <cstdint>

#include "base/bytes.h"

/// The Internet checksum (RFC 1071), its update (RFC 1624) and the pseudo headers that TCP and UDP
/// put in front of it. Pure.
///
/// Sums are in host order of the big-endian 16-bit words, as the RFCs write them: what comes out of
/// checksum_of() goes into the packet with store_be16().
namespace ringway {

/// Brings the carries of a sum of words round until 16 bits are left.
[[nodiscard]] constexpr std::uint16_t folded_to_16_bits(std::uint64_t sum) {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// A one's complement sum that is still being added up. Value.
class ChecksumSum {
 public:
  constexpr ChecksumSum() = default;

  /// Adds `bytes`. Only the last piece of a sum may have an odd size: it counts as if a zero byte
  /// followed.
  void add(Bytes bytes);
  constexpr void add_word(std::uint16_t word) { sum_ += word; }
  /// Adds a 32-bit field at an even offset.
  constexpr void add_field(std::uint32_t field) {
    sum_ += std::uint64_t{field >> 16} + (field & 0xffff);
  }
  /// Adds another sum, also one that was folded and stored.
  constexpr void add(const ChecksumSum& other) { sum_ += other.folded(); }

  /// The sum in 16 bits, not complemented: what stands in a checksum field that the next stage has
  /// to finish (VIRTIO_NET_HDR_F_NEEDS_CSUM).
  [[nodiscard]] constexpr std::uint16_t folded() const { return folded_to_16_bits(sum_); }
  /// The checksum: the complement of the sum.
  [[nodiscard]] constexpr std::uint16_t checksum() const {
    return static_cast<std::uint16_t>(~folded());
  }
  /// True for the sum over a packet that includes its own, right checksum.
  [[nodiscard]] constexpr bool verifies() const { return folded() == 0xffff; }

 private:
  /// Words of 16 bits: it would take 2^48 of them to overflow.
  std::uint64_t sum_ = 0;
};

/// The checksum over `bytes`, whose checksum field must be zero; or zero when it is right.
[[nodiscard]] std::uint16_t checksum_of(Bytes bytes);

/// `addresses` are the source and the destination as they stand in the packet, one behind the
/// other: 8 or 32 bytes. `length` is that of the transport header and its payload
/// (RFC 9293 3.1, RFC 8200 8.1).
struct PseudoHeader {
  Bytes addresses;
  std::uint8_t protocol = 0;
  std::uint32_t length = 0;
};
[[nodiscard]] ChecksumSum sum_of(const PseudoHeader& pseudo);

/// What a checksum becomes when one 16-bit word under it changes: equation 3 of RFC 1624, which
/// unlike that of RFC 1141 is right where the result is zero.
struct WordChange {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
};
[[nodiscard]] constexpr std::uint16_t updated_checksum(std::uint16_t checksum, WordChange change) {
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~change.from);
  sum += change.to;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace ringway
