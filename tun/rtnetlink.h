#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/address.h"
#include "base/error.h"

namespace ringway {

/// A netlink message under construction. The largest of ours is a route of some 120 bytes. Value.
struct RtnetlinkRequest {
  static constexpr std::size_t kSizeMax = 512;
  alignas(nlmsghdr) std::array<char, kSizeMax> buffer{};
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());

  RtnetlinkRequest(std::uint16_t type, int flags) {
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }
  RtnetlinkRequest(const RtnetlinkRequest&) = delete;
  RtnetlinkRequest& operator=(const RtnetlinkRequest&) = delete;

  template <typename Family>
  Family& family_header() {
    return *static_cast<Family*>(mnl_nlmsg_put_extra_header(header, sizeof(Family)));
  }
  void put(std::uint16_t attribute, std::uint32_t value) {
    mnl_attr_put_u32(header, attribute, value);
  }
  void put(std::uint16_t attribute, const IpAddress& address) {
    const Bytes wire = address.wire();
    mnl_attr_put(header, attribute, wire.size(), wire.data());
  }
};

/// Asks the kernel about, and tells it, addresses and routes. SHELL: one thread; each call waits
/// for the kernel's answer.
class RtnetlinkSocket {
 public:
  static Result<RtnetlinkSocket> open();

  /// 0, or the kernel's errno.
  int transact(RtnetlinkRequest& request);
  /// Each message that answers `request` is given to `take`. 0, or an errno.
  int dump(RtnetlinkRequest& request, const std::function<void(const nlmsghdr&)>& take);

 private:
  struct Closer {
    void operator()(mnl_socket* socket) const;
  };
  explicit RtnetlinkSocket(mnl_socket* socket) : socket_(socket) {}
  int exchange(RtnetlinkRequest& request, mnl_cb_t callback, void* context);

  std::unique_ptr<mnl_socket, Closer> socket_;
  std::uint32_t sequence_ = 0;
};

/// What to do about the kernel's errno, as far as it is the same for every request.
std::string_view rtnetlink_advice(int error);

/// The kernel's name of the address's family.
std::uint8_t family_of(const IpAddress& address);

}  // namespace ringway
