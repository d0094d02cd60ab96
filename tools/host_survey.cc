#include "tools/host_survey.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>

#include "control/config/config_files.h"
#include "control/name_lookup.h"
#include "tools/command_output.h"
#include "tun/host_links.h"

namespace ringway {
namespace {

constexpr Duration kLookupPatience = 5s;
constexpr Duration kCommandPatience = 10s;

std::optional<std::uint64_t> number_in(const std::string& path) {
  const Result<std::string> text = read_text_file(path);
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto [rest, problem] = std::from_chars(text->data(), text->data() + text->size(), number);
  return problem == std::errc{} ? std::optional(number) : std::nullopt;
}

std::optional<int> sysctl(const std::string& name) {
  const auto number = number_in("/proc/sys/" + name);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::vector<HostInterface> interfaces() {
  std::vector<HostInterface> found;
  const Result<std::vector<HostLink>> links = read_host_links();
  if (!links) return found;
  for (const HostLink& link : *links) {
    HostInterface interface{.name = link.name,
                            .is_up = link.is_up,
                            .is_tun = link.is_tunnel,
                            .accept_ra = sysctl("net/ipv6/conf/" + link.name + "/accept_ra"),
                            .rp_filter = sysctl("net/ipv4/conf/" + link.name + "/rp_filter")};
    for (const LinkAddress& address : link.addresses) {
      interface.addresses.push_back({.address = address.address,
                                     .prefix_length = address.prefix_length,
                                     .is_temporary = address.is_temporary,
                                     .is_dynamic = address.is_dynamic});
    }
    found.push_back(std::move(interface));
  }
  return found;
}

void read_kernel(HostFacts& facts) {
  utsname name{};
  if (::uname(&name) == 0) facts.kernel = name.release;
  facts.is_root = ::geteuid() == 0;
  facts.bind_v6_only = sysctl("net/ipv6/bindv6only");
  facts.forwarding_v4 = sysctl("net/ipv4/ip_forward");
  facts.forwarding_v6 = sysctl("net/ipv6/conf/all/forwarding");
  facts.rp_filter_all = sysctl("net/ipv4/conf/all/rp_filter");
  facts.io_uring_disabled = sysctl("kernel/io_uring_disabled");
  facts.conntrack_count = number_in("/proc/sys/net/netfilter/nf_conntrack_count");
  facts.conntrack_max = number_in("/proc/sys/net/netfilter/nf_conntrack_max");
  struct stat status{};
  facts.has_tun_device = ::stat("/dev/net/tun", &status) == 0 && S_ISCHR(status.st_mode);
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
    facts.locked_memory_max = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
  }
}

void read_firewall(HostFacts& facts) {
  const Result<std::string> names = read_text_file("/proc/net/ip_tables_names");
  facts.has_legacy_tables = names && !names->empty();
  const Result<std::string> rules = output_of({"nft", "-j", "list", "ruleset"}, kCommandPatience);
  if (rules) {
    facts.nft_ruleset = *rules;
  } else {
    facts.nft_problem = rules.error().what;
  }
}

NameAnswer answer_for(const std::string& name) {
  NameAnswer answer;
  const auto found = look_up_name(name, LinkFamily::Both, kLookupPatience);
  if (!found) {
    answer.problem = found.error().what;
    return answer;
  }
  for (const Endpoint& endpoint : *found) answer.addresses.push_back(endpoint.address);
  return answer;
}

void look_up_names(const ConfigDraft& draft, HostFacts& facts) {
  for (const ListenConfig& listen : draft.config.listen) {
    if (!listen.host.empty()) facts.names.try_emplace(listen.host, answer_for(listen.host));
  }
  for (const RemoteConfig& remote : draft.profile.servers) {
    if (IpAddress::parse(remote.host) || facts.names.contains(remote.host)) continue;
    facts.names.emplace(remote.host, answer_for(remote.host));
  }
}

/// Whom the server becomes.
struct Identity {
  uid_t user = 0;
  gid_t group = 0;
};

bool permits(const struct stat& status, const Identity& who, mode_t bits) {
  if (who.user == 0) return true;
  if (status.st_uid == who.user) return (status.st_mode >> 6 & bits) == bits;
  if (status.st_gid == who.group) return (status.st_mode >> 3 & bits) == bits;
  return (status.st_mode & bits) == bits;
}

/// Every directory on the way must let the user pass.
bool may_reach(const std::string& path, const Identity& who) {
  for (std::size_t slash = path.find('/', 1); slash != path.npos;
       slash = path.find('/', slash + 1)) {
    struct stat status{};
    if (::stat(path.substr(0, slash).c_str(), &status) != 0) return false;
    if (!permits(status, who, S_IXOTH)) return false;
  }
  return true;
}

FileAccess access_of(const std::string& path, const Identity& who) {
  FileAccess access;
  struct stat status{};
  access.exists = ::stat(path.c_str(), &status) == 0;
  const bool is_reached = may_reach(path, who);
  access.may_read = access.exists && is_reached && permits(status, who, S_IROTH);
  access.may_write = access.exists && is_reached && permits(status, who, S_IWOTH);
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  struct stat parent{};
  access.may_replace = is_reached && ::stat(directory.c_str(), &parent) == 0 &&
                       permits(parent, who, S_IWOTH | S_IXOTH);
  return access;
}

void look_at_files(const ServerConfig& config, HostFacts& facts) {
  Identity who{.user = ::geteuid(), .group = ::getegid()};
  if (!config.user.empty()) {
    const passwd* entry = ::getpwnam(config.user.c_str());
    facts.user_exists = entry != nullptr;
    if (entry != nullptr) who.user = entry->pw_uid;
  }
  if (!config.group.empty()) {
    const struct group* entry = ::getgrnam(config.group.c_str());
    facts.group_exists = entry != nullptr;
    if (entry != nullptr) who.group = entry->gr_gid;
  }
  for (const std::string& path :
       {config.tls.crl.path, config.status_file, config.pool_persist_file}) {
    if (!path.empty()) facts.files.try_emplace(path, access_of(path, who));
  }
}

}  // namespace

HostFacts survey_host(const ConfigSurvey& survey) {
  HostFacts facts;
  read_kernel(facts);
  facts.interfaces = interfaces();
  look_up_names(survey.draft, facts);
  if (survey.kind == ConfigKind::Server) {
    read_firewall(facts);
    look_at_files(survey.draft.config, facts);
  }
  return facts;
}

}  // namespace ringway
