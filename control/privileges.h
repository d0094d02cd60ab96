#pragma once

#include <string>

#include "base/error.h"

namespace ringway {

/// Makes the process's memory unreadable for others: no core dumps, no ptrace (security goal D03).
void protect_memory();

/// Whom to become; empty: stay who we are.
struct PrivilegeSettings {
  std::string user;
  std::string group;
};

/// Gives up what is not needed after start (security goal D04): all threads take the new user and
/// group, and the calling thread keeps no capability; workers give up theirs in Worker::run(). Call
/// bar_new_capabilities() before any thread is started. Nothing that a server does while it runs
/// needs one: devices, sockets, rings and BPF programs are there by then, and maps are written to
/// by whoever has their descriptor. Errors: an unknown name; not allowed.
[[nodiscard]] Result<void> drop_privileges(const PrivilegeSettings& settings);
/// The same for a client, which changes routes and devices at its end: with a user it keeps
/// CAP_NET_ADMIN, without one what it has. Of the calling thread, and those that it starts later.
[[nodiscard]] Result<void> keep_net_admin_alone(const PrivilegeSettings& settings);

}  // namespace ringway
