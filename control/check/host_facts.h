#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"

/// What `ringway check` wants to know of the machine. Unset: it could not be found out. Pure
/// values, so that a test needs no machine; tools/check/host_survey.cc fills them.
namespace ringway {

struct HostAddress {
  IpAddress address;
  std::uint8_t prefix_length = 0;
  /// A privacy address (RFC 8981), which goes within a day.
  bool is_temporary = false;
  /// It came with a lifetime, by a router's advertisement or by DHCP.
  bool is_dynamic = false;
};

struct HostInterface {
  std::string name;
  bool is_up = true;
  /// A TUN device: this server's own when it runs.
  bool is_tun = false;
  std::vector<HostAddress> addresses;
  std::optional<int> accept_ra;
  std::optional<int> rp_filter;
};

struct NameAnswer {
  std::vector<IpAddress> addresses;
  /// Why there is none.
  std::string problem;
};

/// What the user that the server becomes may do with a file.
struct FileAccess {
  bool exists = false;
  bool may_read = false;
  bool may_write = false;
  /// In its directory: what a file that is replaced as a whole needs.
  bool may_replace = false;
};

struct HostFacts {
  std::string kernel;  ///< "6.1.0-18-amd64"
  bool is_root = true;
  std::vector<HostInterface> interfaces;

  std::optional<int> bind_v6_only;
  std::optional<int> forwarding_v4;
  std::optional<int> forwarding_v6;
  std::optional<int> rp_filter_all;
  std::optional<int> io_uring_disabled;
  std::optional<std::uint64_t> conntrack_count;
  std::optional<std::uint64_t> conntrack_max;
  /// RLIMIT_MEMLOCK in bytes; UINT64_MAX: none.
  std::optional<std::uint64_t> locked_memory_max;
  std::optional<bool> has_tun_device;

  /// `nft -j list ruleset`, or why it could not be had.
  std::string nft_ruleset;
  std::string nft_problem;
  /// iptables-legacy has rules, which nft does not show.
  bool has_legacy_tables = false;

  /// By name, of `local` and `remote`.
  std::map<std::string, NameAnswer> names;
  std::optional<bool> user_exists;
  std::optional<bool> group_exists;
  /// By path as written.
  std::map<std::string, FileAccess> files;
};

}  // namespace ringway
