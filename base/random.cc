#include "base/random.h"

#include <sodium.h>

namespace ringway {

void SystemRandom::fill(MutableBytes out) { randombytes_buf(out.data(), out.size()); }

}  // namespace ringway
