#include "dataplane/ring.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace ringway {
namespace {

constexpr RequestTag kRead{.operation = Operation::Wake, .slot = 7};

UniqueFd make_eventfd(std::uint64_t value = 0) {
  return UniqueFd(::eventfd(static_cast<unsigned>(value), EFD_CLOEXEC | EFD_NONBLOCK));
}

/// Completions until `count` have come or nothing comes any more.
std::vector<Completion> collect(Ring& ring, std::size_t count) {
  std::vector<Completion> all;
  std::array<Completion, 16> some;
  for (int turn = 0; turn < 100 && all.size() < count; ++turn) {
    EXPECT_EQ(ring.submit_and_wait(100ms), 0);
    const std::size_t taken = ring.collect(some);
    all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(taken));
  }
  return all;
}

TEST(RequestTag, SurvivesItsWayThroughTheKernel) {
  const RequestTag tag{.operation = Operation::TunWriteAgain, .listener = 255, .slot = 0xfedc'ba98};

  EXPECT_EQ(RequestTag::decode(tag.encode()), tag);
}

TEST(Ring, CompletesAReadOfANonBlockingDescriptorWhenThereIsSomething) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  const UniqueFd bell = make_eventfd();
  std::array<std::uint8_t, 8> count{};
  ASSERT_TRUE(ring.read(kRead, bell.get(), count));
  ASSERT_EQ(ring.submit_and_wait(0ns), 0);
  ASSERT_EQ(ring.in_flight(), 1u);

  ASSERT_EQ(::eventfd_write(bell.get(), 5), 0);
  const auto completions = collect(ring, 1);

  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].tag, kRead);
  EXPECT_EQ(completions[0].result, 8);
  EXPECT_FALSE(completions[0].more);
  EXPECT_EQ(count[0], 5);
  EXPECT_EQ(ring.in_flight(), 0u);
}

TEST(Ring, SaysWhenThereIsSomethingToReadAndLeavesIt) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  const UniqueFd bell = make_eventfd();
  ASSERT_TRUE(ring.wait_readable(kRead, bell.get()));
  ASSERT_EQ(ring.submit_and_wait(0ns), 0);
  ASSERT_EQ(ring.in_flight(), 1u);

  ASSERT_EQ(::eventfd_write(bell.get(), 5), 0);
  const auto completions = collect(ring, 1);

  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].tag, kRead);
  EXPECT_FALSE(completions[0].more);
  eventfd_t count = 0;
  EXPECT_EQ(::eventfd_read(bell.get(), &count), 0);
  EXPECT_EQ(count, 5u);
}

TEST(Ring, WaitsNoLongerThanItIsTold) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  std::array<Completion, 4> completions;

  EXPECT_EQ(ring.submit_and_wait(1ms), 0);

  EXPECT_EQ(ring.collect(completions), 0u);
}

TEST(Ring, SleepsThroughWhatArrivesWhileABatchForms) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  const UniqueFd bell = make_eventfd(1);
  std::array<std::uint8_t, 8> count{};
  ASSERT_TRUE(ring.read(kRead, bell.get(), count));
  const Instant begin = monotonic_now();

  ASSERT_EQ(ring.submit_and_wait(20ms, 64), 0);

  EXPECT_GE(monotonic_now() - begin, 20ms);
  std::array<Completion, 4> some;
  EXPECT_EQ(ring.collect(some), 1u) << "one of 64, and it is not lost";
}

TEST(Ring, LooksWithoutSleeping) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  const UniqueFd bell = make_eventfd();
  std::array<std::uint8_t, 8> count{};
  std::array<Completion, 4> some;
  ASSERT_TRUE(ring.read(kRead, bell.get(), count));
  ASSERT_EQ(ring.submit_and_look(), 0);
  ASSERT_EQ(ring.collect(some), 0u);

  ASSERT_EQ(::eventfd_write(bell.get(), 5), 0);
  ASSERT_EQ(ring.submit_and_look(), 0);

  EXPECT_EQ(ring.collect(some), 1u);
}

TEST(Ring, HandsOutNoMoreCompletionsThanThereIsRoomFor) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  const UniqueFd bell = make_eventfd(1);
  std::array<std::uint8_t, 8> count{};
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::eventfd_write(bell.get(), 1), 0);
    ASSERT_TRUE(ring.read(kRead, bell.get(), count));
    ASSERT_EQ(ring.submit_and_wait(0ns), 0);
  }
  std::array<Completion, 2> some;

  EXPECT_EQ(ring.collect(some), 2u);
  EXPECT_EQ(ring.collect(some), 1u);
  EXPECT_EQ(ring.collect(some), 0u);
}

TEST(Ring, PreparesMoreRequestsThanItsQueueHolds) {
  Ring ring;
  ASSERT_TRUE(ring.open({.submission_count = 4, .completion_count = 256}));
  const UniqueFd bell = make_eventfd();

  for (int i = 0; i < 50; ++i) {
    const std::uint64_t one = 1;
    std::array<std::uint8_t, 8> bytes;
    std::memcpy(bytes.data(), &one, sizeof one);
    ASSERT_TRUE(ring.write(kRead, bell.get(), bytes));
    ASSERT_EQ(ring.submit_and_wait(0ns), 0);
  }

  EXPECT_EQ(collect(ring, 50).size(), 50u);
}

TEST(Ring, GivesEveryBufferBackAfterACancellation_E01) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  const UniqueFd bell = make_eventfd();
  std::array<std::array<std::uint8_t, 8>, 10> counts{};
  for (auto& count : counts) ASSERT_TRUE(ring.read(kRead, bell.get(), count));
  ASSERT_EQ(ring.submit_and_wait(0ns), 0);
  ASSERT_EQ(ring.in_flight(), 10u);

  ASSERT_TRUE(ring.cancel_all({.operation = Operation::Cancel}));
  const auto completions = collect(ring, 11);

  EXPECT_EQ(ring.in_flight(), 0u);
  int cancelled = 0;
  for (const Completion& completion : completions) {
    if (completion.tag == kRead && completion.result == -ECANCELED) ++cancelled;
  }
  EXPECT_EQ(cancelled, 10);
}

void close_with_a_request_in_flight() {
  const UniqueFd bell = make_eventfd();
  std::array<std::uint8_t, 8> count{};
  Ring ring;
  static_cast<void>(ring.open({}));
  static_cast<void>(ring.read(kRead, bell.get(), count));
  static_cast<void>(ring.submit_and_wait(0ns));
}

TEST(RingDeathTest, EndsTheProcessWhenItIsClosedWithRequestsInFlight_E01) {
  EXPECT_DEATH(close_with_a_request_in_flight(), "in_flight_ == 0");
}

TEST(Ring, SaysWhenCompletionsOverflowAndLosesNone_E02) {
  Ring ring;
  ASSERT_TRUE(ring.open({.submission_count = 4, .completion_count = 8}));
  const UniqueFd bell = make_eventfd();
  std::array<std::array<std::uint8_t, 8>, 32> counts{};
  for (auto& count : counts) ASSERT_TRUE(ring.read(kRead, bell.get(), count));
  ASSERT_EQ(ring.submit_and_wait(0ns), 0);
  ASSERT_EQ(ring.overflow_count(), 0u);
  ASSERT_TRUE(ring.cancel_all({.operation = Operation::Cancel}));

  static_cast<void>(ring.submit_and_wait(10ms));
  EXPECT_GT(ring.overflow_count(), 0u);

  std::size_t all = 0;
  std::array<Completion, 16> some;
  for (int turn = 0; turn < 100 && ring.in_flight() > 0; ++turn) {
    all += ring.collect(some);
    static_cast<void>(ring.submit_and_wait(10ms));
  }
  EXPECT_EQ(all, 33u);
  EXPECT_EQ(ring.in_flight(), 0u);
}

TEST(Ring, BelongsToTheThreadThatOpenedIt_E10) {
  Ring ring;
  ASSERT_TRUE(ring.open({}));

  std::thread([&ring] { EXPECT_EQ(ring.submit_and_wait(0ns), EEXIST); }).join();

  EXPECT_EQ(ring.submit_and_wait(0ns), 0);
}

TEST(ExplainRingFailure, RefusesClearlyAndSaysWhatToDo_E12) {
  struct Case {
    int error;
    const char* what;
    const char* advice;
  };
  const Case cases[] = {
      {EPERM, "not allowed", "kernel.io_uring_disabled=0"},  // the sysctl, or a seccomp profile
      {EACCES, "not allowed", "seccomp"},                    // a security module
      {ENOSYS, "has no io_uring", "6.1"},                    // not built in
      {EINVAL, "too old", "6.1"},                            // DEFER_TASKRUN is not known
      {ENOMEM, "no memory", "LimitMEMLOCK"},                 // a low limit (D08)
      {EMFILE, "descriptor", "LimitNOFILE"},                 // another one
  };
  for (const Case& one : cases) {
    const Error error = explain_ring_failure(one.error);
    EXPECT_NE(error.what.find(one.what), std::string::npos) << error.to_string();
    EXPECT_NE(error.advice.find(one.advice), std::string::npos) << error.to_string();
  }
  EXPECT_NE(explain_ring_failure(EIO).what.find("Input/output"), std::string::npos);
}

// Security goal D04: what a ring does passes by the filter of the thread's system calls.
TEST(Ring, CarriesOutNothingButAWorkersOperationsWhenItIsConfined) {
  Ring ring;
  ASSERT_TRUE(ring.open({.asleep = true}));
  ASSERT_TRUE(ring.confine());
  const UniqueFd bell = make_eventfd(1);
  std::array<std::uint8_t, 8> count{};
  ASSERT_TRUE(ring.read(kRead, bell.get(), count));
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in nowhere{.sin_family = AF_INET, .sin_port = 1, .sin_addr = {}, .sin_zero = {}};
  constexpr RequestTag kConnect{.operation = Operation::StreamConnect};
  ASSERT_TRUE(ring.connect(kConnect, socket.get(), reinterpret_cast<const sockaddr*>(&nowhere),
                           sizeof nowhere));

  const auto completions = collect(ring, 2);

  ASSERT_EQ(completions.size(), 2u);
  for (const Completion& completion : completions) {
    EXPECT_EQ(completion.result, completion.tag == kConnect ? -EACCES : 8);
  }
}

TEST(Ring, TakesNoRequestBeforeItIsConfinedWhenItWasOpenedAsleep) {  // D04
  Ring ring;
  ASSERT_TRUE(ring.open({.asleep = true}));

  EXPECT_EQ(ring.submit_and_wait(0ns), EBADFD);

  EXPECT_TRUE(ring.confine());
  EXPECT_EQ(ring.submit_and_wait(0ns), 0);
}

TEST(Ring, SaysWhatIsMissingWhereItCannotBeConfined) {  // D04
  Ring ring;
  ASSERT_TRUE(ring.open({}));  // Awake: too late.

  const auto confined = ring.confine();

  ASSERT_FALSE(confined);
  EXPECT_NE(confined.error().to_string().find("io_uring_register"), std::string::npos)
      << confined.error().to_string();
}

}  // namespace
}  // namespace ringway
