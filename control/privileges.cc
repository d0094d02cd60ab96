#include "control/privileges.h"

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>

namespace ringway {

namespace {

struct Ids {
  uid_t user;
  gid_t group;
};

Result<Ids> look_up(const PrivilegeSettings& settings) {
  Ids ids{.user = ::getuid(), .group = ::getgid()};
  if (!settings.user.empty()) {
    const passwd* entry = ::getpwnam(settings.user.c_str());
    if (entry == nullptr) {
      return fail("there is no user " + settings.user, "user " + settings.user,
                  "create it, or name another");
    }
    ids.user = entry->pw_uid;
  }
  if (!settings.group.empty()) {
    const struct group* entry = ::getgrnam(settings.group.c_str());
    if (entry == nullptr) {
      return fail("there is no group " + settings.group, "group " + settings.group,
                  "create it, or name another (on Debian the group of nobody is nogroup)");
    }
    ids.group = entry->gr_gid;
  }
  return ids;
}

}  // namespace

void protect_memory() {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

Result<void> drop_privileges(const PrivilegeSettings& settings) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (settings.user.empty() && settings.group.empty()) return {};
  const Result<Ids> ids = look_up(settings);
  if (!ids) return std::unexpected(ids.error());

  // glibc changes the ids of all threads; capabilities are the calling thread's own, and the kernel
  // takes them from the others together with user 0.
  capng_clear(CAPNG_SELECT_BOTH);
  const auto kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
  capng_updatev(CAPNG_ADD, kept, CAP_NET_ADMIN, CAP_BPF, -1);
  const int result =
      capng_change_id(static_cast<int>(ids->user), static_cast<int>(ids->group),
                      static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING));
  if (result != 0) {
    return fail("cannot change to user and group (step " + std::to_string(-result) + ")",
                settings.user + ":" + settings.group,
                "start as root, or leave `user` and `group` out");
  }
  protect_memory();  // Changing the user resets what it has set.
  return {};
}

}  // namespace ringway
