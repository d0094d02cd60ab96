#pragma once

#include <cstdint>

namespace ringway::sim {

/// Makes OpenSSL draw its randomness from a seed, in this process, from here on: TLS draws its own,
/// and a world would not replay otherwise. For test binaries only.
void seed_openssl(std::uint64_t seed);

}  // namespace ringway::sim
