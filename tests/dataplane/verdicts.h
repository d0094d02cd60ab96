#pragma once

#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

/// What tests ask of a Verdict.
namespace ringway::test {

/// What the datapath did, as the one word that a row of a table can hold.
inline ::testing::AssertionResult is_dropped(const Verdict& verdict, Drop drop) {
  if (verdict.way == Verdict::Way::Dropped && verdict.drop == drop)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "way " << static_cast<int>(verdict.way) << ", drop " << name_of(verdict.drop);
}

inline Packet copy_of(Bytes bytes) { return Packet(bytes.begin(), bytes.end()); }

}  // namespace ringway::test
