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

/// Adds with the carry brought round: one's complement addition of 64-bit words.
struct Accumulator {
  std::uint64_t sum = 0;
  void add(std::uint64_t word) {
    sum += word;
    sum += sum < word ? 1 : 0;
  }
};

/// The sum of whole 64-bit words in the machine's own byte order: one's complement sums may be
/// taken in either order and swapped once at the end (RFC 1071 2(B)), and in words of any size
/// (2(C)). The halves of each word are added apart, where no carry can be lost, so that the
/// compiler may use vector instructions.
std::uint64_t native_sum(Bytes words) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  const std::uint8_t* at = words.data();
  for (std::size_t left = words.size(); left >= 8; left -= 8, at += 8) {
    const std::uint64_t word = load_native64(at);
    low += word & 0xffff'ffff;
    high += word >> 32;
  }
  Accumulator sum{low};
  sum.add(high);
  return sum.sum;
}

}  // namespace

void ChecksumSum::add(Bytes bytes) {
  const std::size_t whole = bytes.size() & ~std::size_t{7};
  Accumulator sum{native_sum(bytes.first(whole))};
  if (whole != bytes.size()) {
    std::uint8_t last[8] = {};
    std::memcpy(last, bytes.data() + whole, bytes.size() - whole);
    sum.add(load_native64(last));
  }
  std::uint16_t native = folded_to_16_bits(sum.sum);
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
