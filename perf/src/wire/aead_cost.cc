#include "perf/src/wire/aead_cost.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "dataplane/channel/aead.h"

namespace ringway::wire {
namespace {

constexpr std::size_t kBuffers = 256;
constexpr std::size_t kAssociatedSize = 8;

/// What a nonce and a key are is all the same to the cost.
constexpr std::array<std::uint8_t, 32> kKey{};
constexpr std::array<std::uint8_t, kAssociatedSize> kAssociated{};

AeadNonce nonce_of(std::size_t buffer) {
  AeadNonce nonce{};
  store_be32(nonce.data(), static_cast<std::uint32_t>(buffer + 1));
  return nonce;
}

/// Nanoseconds for each call of `work(buffer number)`: of the median pass over all buffers, since
/// the core may be taken away during some.
template <typename Work>
double cost_of(Duration duration, Work work) {
  std::vector<Duration> passes;
  const Instant start = monotonic_now();
  Instant pass_start = start;
  while (pass_start - start < duration) {
    for (std::size_t i = 0; i < kBuffers; ++i) work(i);
    const Instant end = monotonic_now();
    passes.push_back(end - pass_start);
    pass_start = end;
  }
  const auto middle = passes.begin() + static_cast<std::ptrdiff_t>(passes.size() / 2);
  std::ranges::nth_element(passes, middle);
  return static_cast<double>(middle->count()) / double{kBuffers};
}

}  // namespace

AeadCost measure_aead(DataCipher cipher, std::size_t packet_size, Duration duration) {
  const Bytes key = Bytes(kKey).first(key_size_of(cipher));
  Aead seal(Aead::Use::Seal, cipher, key);
  Aead open(Aead::Use::Open, cipher, key);
  const std::vector<std::uint8_t> packet(packet_size);
  std::vector<std::vector<std::uint8_t>> sealed(kBuffers, std::vector<std::uint8_t>(packet_size));
  std::array<std::array<std::uint8_t, kAeadTagSize>, kBuffers> tags{};
  std::vector<std::uint8_t> opened(packet_size);

  AeadCost cost;
  cost.seal_ns = cost_of(duration, [&](std::size_t i) {
    seal.seal(nonce_of(i), kAssociated, packet, sealed[i], tags[i]);
  });
  cost.open_ns = cost_of(duration, [&](std::size_t i) {
    RW_ASSERT(open.open(nonce_of(i), kAssociated, sealed[i], tags[i], opened));
  });
  return cost;
}

}  // namespace ringway::wire
