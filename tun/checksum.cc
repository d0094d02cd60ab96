#include "tun/checksum.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace ringway {
namespace {

std::uint64_t load_native64(const std::uint8_t* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// One's complement addition of 64-bit words. The carries are counted aside and brought round once,
/// which compiles to an add and an add-with-carry each.
struct Accumulator {
  std::uint64_t sum = 0;
  std::uint64_t carries = 0;

  void add(std::uint64_t word) {
    sum += word;
    carries += sum < word ? 1 : 0;
  }
};

/// The sum of `bytes`, padded with zeros to whole 64-bit words, in the machine's own byte order:
/// one's complement sums may be taken in either order and swapped once at the end (RFC 1071 2(B)),
/// and in words of any size (2(C)). Two accumulators, for neither then waits for its own carry.
Accumulator native_sum(Bytes bytes) {
  Accumulator even;
  Accumulator odd;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 32; left -= 32, at += 32) {
    even.add(load_native64(at));
    odd.add(load_native64(at + 8));
    even.add(load_native64(at + 16));
    odd.add(load_native64(at + 24));
  }
  for (; left >= 8; left -= 8, at += 8) even.add(load_native64(at));
  if (left > 0) {
    std::uint8_t last[8] = {};
    std::memcpy(last, at, left);
    odd.add(load_native64(last));
  }
  even.add(odd.sum);
  even.carries += odd.carries;
  return even;
}

}  // namespace

void ChecksumSum::add(Bytes bytes) {
  const Accumulator total = native_sum(bytes);
  // A carry out of 64 bits is worth one (2^64 = 1 modulo 2^16 - 1).
  std::uint16_t native =
      folded_to_16_bits(std::uint64_t{folded_to_16_bits(total.sum)} + total.carries);
  if constexpr (std::endian::native == std::endian::little) native = std::byteswap(native);
  sum_ += native;
}

std::uint16_t checksum_of(Bytes bytes) {
  ChecksumSum sum;
  sum.add(bytes);
  return sum.checksum();
}

ChecksumSum sum_of(const PseudoHeader& pseudo) {
  RW_ASSERT(pseudo.addresses.size() == 8 || pseudo.addresses.size() == 32);
  ChecksumSum sum;
  sum.add(pseudo.addresses);
  sum.add_word(pseudo.protocol);
  sum.add_field(pseudo.length);
  return sum;
}

}  // namespace ringway
