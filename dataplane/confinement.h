#pragma once

#include <cstdint>

#include "base/error.h"

/// What a thread gives up for good before it meets strangers' bytes (security goal D04). SHELL: of
/// the calling thread; capabilities and filters are each thread's own.
namespace ringway {

/// What becomes of a thread that makes a system call which it does not need.
enum class UnneededCall : std::uint8_t {
  Kills,     ///< the whole process, by SIGSYS: somebody else has taken over
  IsLogged,  ///< by the kernel's audit; it is carried out
  IsIgnored  ///< there is no filter
};

/// No capability can come back once it is given up: not by running a program, not with the user id
/// 0, not by changing it. Threads that are started later inherit that. Where the process may not
/// change these sets (no CAP_SETPCAP: a container, a service manager's user) no_new_privs, which is
/// set too, has the same effect. The error names what the kernel refused.
[[nodiscard]] Result<void> bar_new_capabilities();

/// No capability is left to the calling thread, in any set. Call bar_new_capabilities() before.
[[nodiscard]] Result<void> give_up_capabilities();

/// Lets the thread make only the system calls of a worker that serves: those that were measured
/// with all tests, for memory, sockets that are open, clocks and its end. What io_uring does is not
/// among them; Ring::confine() sees to that.
[[nodiscard]] Result<void> confine_worker(UnneededCall unneeded);

/// Takes from the control thread what none of its duties needs after start: programs, other
/// processes, namespaces, devices, kernel modules, new rings and BPF programs, the ids and
/// capabilities. It still opens files and sockets.
[[nodiscard]] Result<void> confine_control_thread(UnneededCall unneeded);

}  // namespace ringway
