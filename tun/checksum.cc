#include "tun/checksum.h"

#include <bit>
#include <cstring>

#include "base/check.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

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

#ifdef __x86_64__
/// The same, a third of the time for a full packet: eight words of 32 bits at once, each added to a
/// lane of 64, where 2^32 of them have room.
[[gnu::target("avx2")]] Accumulator wide_sum(Bytes bytes) {
  constexpr std::size_t kStep = 32;
  __m256i low = _mm256_setzero_si256();
  __m256i high = _mm256_setzero_si256();
  const __m256i low_half = _mm256_set1_epi64x(0xffff'ffff);
  std::size_t at = 0;
  for (; at + kStep <= bytes.size(); at += kStep) {
    __m256i words;
    std::memcpy(&words, bytes.data() + at, sizeof words);
    low = _mm256_add_epi64(low, _mm256_and_si256(words, low_half));
    high = _mm256_add_epi64(high, _mm256_srli_epi64(words, 32));
  }
  std::uint64_t lanes[4];
  const __m256i sum = _mm256_add_epi64(low, high);
  std::memcpy(lanes, &sum, sizeof lanes);
  Accumulator total = native_sum(bytes.subspan(at));
  for (const std::uint64_t lane : lanes) total.add(lane);
  return total;
}

/// Below this, lanes are not worth setting up.
constexpr std::size_t kWideMin = 128;

Accumulator fastest_sum(Bytes bytes) {
  return bytes.size() >= kWideMin && __builtin_cpu_supports("avx2") ? wide_sum(bytes)
                                                                    : native_sum(bytes);
}
#else
Accumulator fastest_sum(Bytes bytes) { return native_sum(bytes); }
#endif

}  // namespace

void ChecksumSum::add(Bytes bytes) {
  const Accumulator total = fastest_sum(bytes);
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
