#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/unique_fd.h"

struct nlmsghdr;

namespace ringway {

/// An address of one of the host's interfaces. Value.
struct LinkAddress {
  IpAddress address;
  std::uint8_t prefix_length = 0;
  /// A privacy address (RFC 8981).
  bool is_temporary = false;
  /// Its preferred lifetime is over (RFC 4862 5.5.4): a renumbered prefix on its way out.
  bool is_deprecated = false;
  /// It came with a lifetime, by a router's advertisement or by DHCP.
  bool is_dynamic = false;

  friend bool operator==(const LinkAddress&, const LinkAddress&) = default;
};

/// Value.
struct HostLink {
  std::string name;
  std::uint32_t index = 0;
  /// Configured up, and its carrier is there.
  bool is_up = false;
  /// A TUN or TAP device, or another without a link layer.
  bool is_tunnel = false;
  std::vector<LinkAddress> addresses;

  friend bool operator==(const HostLink&, const HostLink&) = default;
};

/// The host's interfaces and their addresses, by index. SHELL: asks the kernel over rtnetlink and
/// waits for its answer; any thread; needs no privileges.
Result<std::vector<HostLink>> read_host_links();

/// Takes one message of the kernel's answer: an interface, or an address of one that is in `links`.
/// The message is whole (mnl_nlmsg_ok()); one that is too short for what it is says nothing. Pure.
void take_link_message(const nlmsghdr& message, std::vector<HostLink>& links);

/// Tells when something about them has changed. What has, read_host_links() says: so nothing is
/// missed when messages are lost. SHELL; used by the control thread.
class HostLinkBell {
 public:
  static Result<HostLinkBell> open();

  /// Readable when something has changed.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Reads all messages that wait; false when there was none.
  bool silence();

 private:
  explicit HostLinkBell(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ringway
