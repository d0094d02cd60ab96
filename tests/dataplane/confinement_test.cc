#include "dataplane/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <string>

/// What confined threads may still do (security goal D04). Each case runs in a process of its own,
/// which the filter ends.
namespace ringway {
namespace {

constexpr int kGoneThrough = 42;

/// How a child ends that confines itself and then makes the call: its exit status, or minus the
/// signal.
int end_of(const std::function<Result<void>()>& confine, const std::function<void()>& call) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!confine()) ::_exit(1);
    call();
    ::_exit(kGoneThrough);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int end_of_worker(const std::function<void()>& call, UnneededCall unneeded = UnneededCall::Kills) {
  return end_of([unneeded] { return confine_worker(unneeded); }, call);
}

int end_of_control(const std::function<void()>& call) {
  return end_of([] { return confine_control_thread(UnneededCall::Kills); }, call);
}

/// A line of the status of the calling thread, e.g. "CapEff".
std::string status_of(const std::string& field) {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  }
  return "missing";
}

struct Call {
  const char* name;
  std::function<void()> make;
};

void call(long number) { ::syscall(number, 0L, 0L, 0L, 0L, 0L); }

TEST(ConfineWorker, EndsTheProcessAtACallThatAWorkerDoesNotNeed) {  // D04
  const Call calls[] = {
      {"socket", [] { ::socket(AF_INET, SOCK_DGRAM, 0); }},
      {"connect", [] { call(SYS_connect); }},
      {"bind", [] { call(SYS_bind); }},
      {"accept4", [] { call(SYS_accept4); }},
      {"setuid", [] { call(SYS_setuid); }},
      {"capset", [] { call(SYS_capset); }},
      {"io_uring_setup", [] { call(SYS_io_uring_setup); }},
      {"io_uring_register", [] { ::syscall(SYS_io_uring_register, -1, 0, nullptr, 0); }},
      {"bpf", [] { call(SYS_bpf); }},
      {"kill", [] { ::kill(::getpid(), 0); }},
      {"ptrace", [] { call(SYS_ptrace); }},
      {"unlink", [] { ::unlink("/nowhere"); }},
      {"ioctl", [] { call(SYS_ioctl); }},
      {"mmap of code",
       [] { ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
  };
  for (const Call& forbidden : calls) {
    EXPECT_EQ(end_of_worker(forbidden.make), -SIGSYS) << forbidden.name;
  }
}

TEST(ConfineWorker, LetsAWorkerWork) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);

  const int end = end_of_worker([&] {
    char byte = 1;
    iovec piece{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (::sendmsg(pair[0], &message, 0) != 1) ::_exit(2);
    void* memory =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || ::munmap(memory, 4096) != 0) ::_exit(3);
  });

  EXPECT_EQ(end, kGoneThrough);
  ::close(pair[0]);
  ::close(pair[1]);
}

// It may open nothing; the C library's allocator tries to, and goes on when it is refused.
TEST(ConfineWorker, RefusesToOpenAFile) {  // D04
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's report opens files";
#endif
  EXPECT_EQ(end_of_worker([] {
              if (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) ::_exit(1);
            }),
            kGoneThrough);
}

TEST(ConfineWorker, OnlyLogsWhereThatIsAskedFor) {
  EXPECT_EQ(end_of_worker([] { ::unlink("/nowhere"); }, UnneededCall::IsLogged), kGoneThrough);
  EXPECT_EQ(end_of_worker([] { ::unlink("/nowhere"); }, UnneededCall::IsIgnored), kGoneThrough);
}

TEST(ConfineControlThread, EndsTheProcessAtACallThatStartAloneNeeds) {  // D04
  const Call calls[] = {
      {"execve", [] { call(SYS_execve); }},
      {"execveat", [] { call(SYS_execveat); }},
      {"process_vm_readv", [] { call(SYS_process_vm_readv); }},
      {"setuid", [] { call(SYS_setuid); }},
      {"setresuid", [] { call(SYS_setresuid); }},
      {"capset", [] { call(SYS_capset); }},
      {"unshare", [] { call(SYS_unshare); }},
      {"setns", [] { call(SYS_setns); }},
      {"mount", [] { call(SYS_mount); }},
      {"init_module", [] { call(SYS_init_module); }},
      {"io_uring_setup", [] { call(SYS_io_uring_setup); }},
      {"bpf, a new map", [] { ::syscall(SYS_bpf, 0, nullptr, 0); }},
      {"bpf, a program", [] { ::syscall(SYS_bpf, 5, nullptr, 0); }},
  };
  for (const Call& forbidden : calls) {
    EXPECT_EQ(end_of_control(forbidden.make), -SIGSYS) << forbidden.name;
  }
}

TEST(ConfineControlThread, LetsItServe) {
  const int end = end_of_control([] {
    ::close(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ::close(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::syscall(SYS_bpf, 2, nullptr, 0);  // An update of a map.
  });

  EXPECT_EQ(end, kGoneThrough);
}

TEST(GiveUpCapabilities, LeavesNoneInAnySet) {  // D04
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const int end = end_of(
      [] {
        Result<void> barred = bar_new_capabilities();
        return barred ? give_up_capabilities() : barred;
      },
      [] {
        for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
          if (status_of(set) != "0000000000000000") ::_exit(set[3]);
        }
        if (status_of("NoNewPrivs") != "1") ::_exit(2);
        constexpr int kNoRootAndNoFixupLocked = 0b1111;
        const int bits = ::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
        if ((bits & kNoRootAndNoFixupLocked) != kNoRootAndNoFixupLocked) ::_exit(3);
      });

  EXPECT_EQ(end, kGoneThrough);
}

}  // namespace
}  // namespace ringway
