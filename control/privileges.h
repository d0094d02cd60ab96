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

/// Gives up what is not needed after start (security goal D04). All threads take the new user and
/// group; the calling thread, and no other, keeps CAP_NET_ADMIN and CAP_BPF, with which it tells
/// the kernel on which TUN queue an address is. Without `user` and `group` nothing changes but that
/// no new privileges can be gained. Errors: an unknown name; not allowed.
Result<void> drop_privileges(const PrivilegeSettings& settings);

}  // namespace ringway
