#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

/// Puts the whole test process into a network namespace of its own before the first test, so that
/// devices, addresses and routes touch nobody and vanish with the process. Without root it fails:
/// a skipped test would look like a passed one.
namespace ringway {
namespace {

class NetworkNamespace : public ::testing::Environment {
 public:
  void SetUp() override {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "run as root: " << std::strerror(errno);
  }
};

[[maybe_unused]] const ::testing::Environment* const kNamespace =
    ::testing::AddGlobalTestEnvironment(new NetworkNamespace);

}  // namespace
}  // namespace ringway
