#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ringway {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "ringway: internal error at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ringway
