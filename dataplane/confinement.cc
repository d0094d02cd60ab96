#include "dataplane/confinement.h"

#include <cap-ng.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>

// A report of a sanitizer reads files and runs a program; a tested build allows it that.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGWAY_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RINGWAY_IS_SANITIZED 1
#endif
#endif
#ifndef RINGWAY_IS_SANITIZED
#define RINGWAY_IS_SANITIZED 0
#endif

namespace ringway {
namespace {

struct FilterRelease {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterRelease>;

constexpr std::array kWorkersCalls = {
    // The turn, and what it waits for. The arena for secrets has a mutex.
    SCMP_SYS(io_uring_enter), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getcpu), SCMP_SYS(sched_yield),
    // Bells, and what an assertion says.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev),
    // Sockets that are open or were accepted.
    SCMP_SYS(sendmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(close),
    // The allocator's.
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(getrandom),
    // The end, in order or by an assertion.
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group)};

constexpr std::array kReportsCalls = {
    SCMP_SYS(open),         SCMP_SYS(openat),  SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(newfstatat),   SCMP_SYS(fstat),   SCMP_SYS(stat),     SCMP_SYS(lseek),
    SCMP_SYS(pipe),         SCMP_SYS(pipe2),   SCMP_SYS(dup2),     SCMP_SYS(clone),
    SCMP_SYS(clone3),       SCMP_SYS(fork),    SCMP_SYS(vfork),    SCMP_SYS(execve),
    SCMP_SYS(wait4),        SCMP_SYS(poll),    SCMP_SYS(fcntl),    SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction), SCMP_SYS(prctl),   SCMP_SYS(uname),    SCMP_SYS(prlimit64),
    SCMP_SYS(mprotect),     SCMP_SYS(getppid), SCMP_SYS(access),   SCMP_SYS(close_range),
    SCMP_SYS(nanosleep),    SCMP_SYS(sysinfo), SCMP_SYS(getuid),   SCMP_SYS(set_robust_list)};

constexpr std::array kUnneededByControl = {
    // Programs and other processes.
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    // Who it is, and what it may do.
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    SCMP_SYS(capset), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    // Namespaces, file systems and devices.
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(chroot), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at), SCMP_SYS(fsopen), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl), SCMP_SYS(acct),
    // The machine.
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
    SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(syslog),
    // Rings are the workers', and were made at start.
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)};

Result<void> explain(int result) {
  if (result == 0) return {};
  return fail(std::string("cannot filter a thread's system calls: ") + std::strerror(-result), {},
              "a kernel with CONFIG_SECCOMP_FILTER is needed; `seccomp off` does without");
}

std::uint32_t action_of(UnneededCall unneeded) {
  return unneeded == UnneededCall::Kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_LOG;
}

/// Adds a rule for each; 0, or the first error. A call that this machine does not have is none.
int add_all(const Filter& filter, std::uint32_t action, std::span<const int> calls) {
  for (const int call : calls) {
    const int result = seccomp_rule_add(filter.get(), action, call, 0);
    if (result != 0 && result != -EDOM) return result;
  }
  return 0;
}

/// Those that depend on their arguments: no memory becomes a program, a ring's buffers are
/// unregistered at its end, and of a socket its queue is asked for.
int add_workers_conditions(const Filter& filter) {
  const auto no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    if (int result = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, no_code)) {
      return result;
    }
  }
  const int result = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(io_uring_register), 1,
                                      SCMP_A1(SCMP_CMP_EQ, IORING_UNREGISTER_PBUF_RING));
  if (result != 0) return result;
  return seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                          SCMP_A1(SCMP_CMP_EQ, TIOCOUTQ));
}

/// Of bpf(), maps are written to and no more: lookup, update and delete are its commands 1 to 3.
int add_controls_conditions(const Filter& filter, std::uint32_t action) {
  int result = seccomp_rule_add(filter.get(), action, SCMP_SYS(bpf), 1,
                                SCMP_A0(SCMP_CMP_GT, BPF_MAP_DELETE_ELEM));
  if (result != 0) return result;
  result = seccomp_rule_add(filter.get(), action, SCMP_SYS(bpf), 1,
                            SCMP_A0(SCMP_CMP_EQ, BPF_MAP_CREATE));
  // LeakSanitizer traces the process at its end.
  if (result != 0 || RINGWAY_IS_SANITIZED != 0) return result;
  return seccomp_rule_add(filter.get(), action, SCMP_SYS(ptrace), 0);
}

}  // namespace

Result<void> bar_new_capabilities() {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  capng_get_caps_process();
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 0) return {};
  capng_clear(CAPNG_SELECT_BOUNDS);
  if (capng_apply(CAPNG_SELECT_BOUNDS) == 0 && capng_lock() == 0) return {};
  return fail(std::string("cannot take capabilities out of reach: ") + std::strerror(errno), {},
              "start as root, or as a user with CAP_NET_ADMIN and without CAP_SETPCAP");
}

Result<void> give_up_capabilities() {
  capng_clear(CAPNG_SELECT_BOTH);
  if (capng_apply(CAPNG_SELECT_CAPS) == 0) return {};
  return fail(std::string("cannot give up capabilities: ") + std::strerror(errno), {},
              "in a container, its seccomp profile must allow capset");
}

Result<void> confine_worker(UnneededCall unneeded) {
  if (unneeded == UnneededCall::IsIgnored) return {};
  const Filter filter(seccomp_init(action_of(unneeded)));
  if (!filter) return explain(-ENOMEM);
  int result = add_all(filter, SCMP_ACT_ALLOW, kWorkersCalls);
  if (result == 0) result = add_workers_conditions(filter);
  if (result == 0 && RINGWAY_IS_SANITIZED != 0) {
    result = add_all(filter, SCMP_ACT_ALLOW, kReportsCalls);
  } else if (result == 0) {
    // glibc's malloc() asks for the machine's overcommit_memory and does without.
    result = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
  }
  return explain(result == 0 ? seccomp_load(filter.get()) : result);
}

Result<void> confine_control_thread(UnneededCall unneeded) {
  if (unneeded == UnneededCall::IsIgnored) return {};
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return explain(-ENOMEM);
  int result = add_all(filter, action_of(unneeded), kUnneededByControl);
  if (result == 0) result = add_controls_conditions(filter, action_of(unneeded));
  return explain(result == 0 ? seccomp_load(filter.get()) : result);
}

}  // namespace ringway
