#include "dataplane/lasting_request.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

LastingRequest armed() {
  LastingRequest request;
  request.note_armed();
  return request;
}

TEST(LastingRequest, IsDueAtFirst) { EXPECT_TRUE(LastingRequest().is_due()); }

TEST(LastingRequest, IsDueAgainWhenItEndsForNoReason_E04) {
  LastingRequest request = armed();

  request.note_ended(100, true);

  EXPECT_TRUE(request.is_due());
}

TEST(LastingRequest, WaitsForBuffersWhenThereAreNone_E03) {
  LastingRequest request = armed();
  request.note_progress();

  request.note_ended(-ENOBUFS, false);
  EXPECT_FALSE(request.is_due());
  request.note_tick();
  EXPECT_FALSE(request.is_due());

  request.note_buffers_available();
  EXPECT_TRUE(request.is_due());
}

TEST(LastingRequest, IsArmedAtOnceWhenBuffersCameBackInTheMeantime_E03) {
  LastingRequest request = armed();
  request.note_progress();

  request.note_ended(-ENOBUFS, true);

  EXPECT_TRUE(request.is_due());
}

// As where a flood on one listener takes every buffer of the group: the other listener's receive
// shall not sleep for a second each time.
TEST(LastingRequest, IsArmedAgainAtOnceWhenAnotherRequestTookTheBuffers_E03) {
  LastingRequest request = armed();

  for (unsigned i = 0; i < 100; ++i) {
    request.note_ended(-ENOBUFS, true);
    ASSERT_TRUE(request.is_due());
    request.note_armed();
    if (i % 10 == 0) request.note_progress();
  }
}

TEST(LastingRequest, DoesNotSpinWhenTheKernelSaysNoBuffersAndThereAre_E03) {
  LastingRequest request = armed();

  for (unsigned i = 1; i < LastingRequest::kStarvedMax; ++i) {
    request.note_ended(-ENOBUFS, true);
    EXPECT_TRUE(request.is_due());
    request.note_armed();
  }
  request.note_ended(-ENOBUFS, true);
  EXPECT_FALSE(request.is_due());
  request.note_buffers_available();
  EXPECT_FALSE(request.is_due());

  request.note_tick();
  EXPECT_TRUE(request.is_due());
}

TEST(LastingRequest, GoesOnAfterAnErrorThatFollowedPackets_E07) {
  LastingRequest request = armed();
  request.note_progress();

  request.note_ended(-ECONNREFUSED, true);

  EXPECT_TRUE(request.is_due());
}

TEST(LastingRequest, WaitsForTheTickWhenItFailsAtOnce_E07) {
  LastingRequest request = armed();

  request.note_ended(-EBADFD, true);
  EXPECT_FALSE(request.is_due());

  request.note_tick();
  EXPECT_TRUE(request.is_due());
}

TEST(LastingRequest, ProgressOfAnEarlierRoundDoesNotCount) {
  LastingRequest request = armed();
  request.note_progress();
  request.note_ended(-EIO, true);
  request.note_armed();

  request.note_ended(-EIO, true);

  EXPECT_FALSE(request.is_due());
}

}  // namespace
}  // namespace ringway
