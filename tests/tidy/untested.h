#pragma once

#include <array>
#include <string_view>

/// Source files without a unit test of their own, each with what covers it instead. Shells belong
/// here: they are system calls in a row, and are tested on a real kernel.
namespace ringway::test {

struct TestedElsewhere {
  std::string_view path;
  std::string_view covered_by;
};

inline constexpr std::array kTestedElsewhere = {
    TestedElsewhere{"base/check.cc", "prints and aborts; every RW_ASSERT is a use of it"},
    TestedElsewhere{"base/log.cc", "a thin layer over spdlog; the interop tests read its lines"},
    TestedElsewhere{"base/random.cc", "one call of libsodium; a test has nothing to compare"},
    TestedElsewhere{"base/time.cc", "two calls of clock_gettime"},
};

}  // namespace ringway::test
