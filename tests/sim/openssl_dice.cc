#include "tests/sim/openssl_dice.h"

// Replacing the generator of a whole process is deprecated in favour of providers; a test binary
// that wants its bytes back has no shorter way.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>

#include "tests/support/seeded_random.h"

namespace ringway::sim {
namespace {

test::SeededRandom& dice() {
  static test::SeededRandom instance(0);
  return instance;
}

int fill(unsigned char* out, int size) {
  dice().fill({out, static_cast<std::size_t>(size)});
  return 1;
}

int ready() { return 1; }

}  // namespace

void seed_openssl(std::uint64_t seed) {
  static const RAND_METHOD method = {.seed = nullptr,
                                     .bytes = fill,
                                     .cleanup = nullptr,
                                     .add = nullptr,
                                     .pseudorand = fill,
                                     .status = ready};
  dice() = test::SeededRandom(seed);
  RAND_set_rand_method(&method);
}

}  // namespace ringway::sim
