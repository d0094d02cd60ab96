#include "control/privileges.h"

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dataplane/confinement.h"

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
  // Of the calling thread and of those that it starts later: so before any worker.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

namespace {

Result<void> refused(const PrivilegeSettings& settings) {
  return fail(std::string("cannot change to user and group: ") + std::strerror(errno),
              settings.user + ":" + settings.group,
              "start as root, or leave `user` and `group` out");
}

/// Without a user the process stays who it is, whatever its group, as with OpenVPN. glibc changes
/// the ids of all threads.
Result<void> change_ids(const PrivilegeSettings& settings) {
  const Result<Ids> ids = look_up(settings);
  if (!ids) return std::unexpected(ids.error());
  const bool is_changed = ::setgroups(0, nullptr) == 0 &&
                          ::setresgid(ids->group, ids->group, ids->group) == 0 &&
                          ::setresuid(ids->user, ids->user, ids->user) == 0;
  if (!is_changed) return refused(settings);
  protect_memory();  // Changing the user resets what it has set.
  return {};
}

}  // namespace

Result<void> drop_privileges(const PrivilegeSettings& settings) {
  if (!settings.user.empty() || !settings.group.empty()) {
    if (Result<void> changed = change_ids(settings); !changed) return changed;
  }
  return give_up_capabilities();
}

Result<void> keep_net_admin_alone(const PrivilegeSettings& settings) {
  if (settings.user.empty()) {
    return settings.group.empty() ? Result<void>() : change_ids(settings);
  }
  const Result<Ids> ids = look_up(settings);
  if (!ids) return std::unexpected(ids.error());
  capng_clear(CAPNG_SELECT_BOTH);
  const auto kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
  capng_update(CAPNG_ADD, kept, CAP_NET_ADMIN);
  const int result =
      capng_change_id(static_cast<int>(ids->user), static_cast<int>(ids->group),
                      static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING));
  if (result != 0) return refused(settings);
  protect_memory();  // Changing the user resets what it has set.
  return {};
}

}  // namespace ringway
