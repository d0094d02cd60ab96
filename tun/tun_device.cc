#include "tun/tun_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "tun/vnet_header.h"

namespace ringway {
namespace {

// Linux 6.2; not in older headers.
constexpr unsigned kOffloadUso4 = 0x20;
constexpr unsigned kOffloadUso6 = 0x40;

constexpr short kQueueFlags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR;
/// Fails when the device exists: IFF_TUN_EXCL does not fit the field's sign, hence the cast.
constexpr short kFirstQueueFlags = static_cast<short>(kQueueFlags | IFF_TUN_EXCL);

/// What the kernel accepts as a name (dev_valid_name()), without its pattern character.
bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::ranges::none_of(name, [](char c) {
    return c == '/' || c == ':' || c == '%' || std::isspace(static_cast<unsigned char>(c)) != 0;
  });
}

Error open_error(int error, const std::string& path) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return {"there is no TUN driver", path,
              "load it with \"modprobe tun\"; in a container, pass the device in "
              "(docker run --device /dev/net/tun)"};
    case EACCES:
    case EPERM:
      return {"no permission to open the TUN driver", path,
              "start as root, or let the container use the device"};
    default: return {fmt::format("cannot open the TUN driver: {}", std::strerror(error)), path, {}};
  }
}

Error attach_error(int error, const std::string& name) {
  switch (error) {
    case EPERM:
      return {"no permission to make a TUN device", name,
              "start as root or with CAP_NET_ADMIN; in a container, add --cap-add NET_ADMIN"};
    case EBUSY:
    case EEXIST:
      return {"a network device of this name exists already", name,
              "choose another name with \"dev\", \"dev tun\" for the next free number, or remove "
              "it with \"ip link del\""};
    case EINVAL:
      return {"the kernel refuses to make this TUN device", name,
              "its driver may be too old for several queues and offload headers (Linux 6.1)"};
    default: return {fmt::format("cannot make the TUN device: {}", std::strerror(error)), name, {}};
  }
}

Result<UniqueFd> open_queue(const std::string& clone_device) {
  UniqueFd queue(::open(clone_device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!queue) return std::unexpected(open_error(errno, clone_device));
  return queue;
}

/// Attaches the queue and stores the device's name, which may have been a pattern, into `name`.
Result<void> attach(const UniqueFd& queue, std::string& name, short flags) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = flags;
  if (::ioctl(queue.get(), TUNSETIFF, &request) < 0) {
    return std::unexpected(attach_error(errno, name));
  }
  name.assign(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
  return {};
}

/// Fixes the size of the header (F06), then asks for everything that was set (F07): a flag that an
/// old kernel does not know is ignored, not refused.
Result<void> settle(const UniqueFd& queue, const std::string& name) {
  int header_size = static_cast<int>(kVnetHeaderSize);
  if (::ioctl(queue.get(), TUNSETVNETHDRSZ, &header_size) < 0) {
    return fail("the TUN device takes no offload header of ten bytes", name);
  }
  ifreq request{};
  int read_back = 0;
  if (::ioctl(queue.get(), TUNGETIFF, &request) < 0 ||
      ::ioctl(queue.get(), TUNGETVNETHDRSZ, &read_back) < 0) {
    return fail(fmt::format("cannot read the TUN device's flags back: {}", std::strerror(errno)),
                name);
  }
  constexpr short kOurs = kQueueFlags | IFF_TAP | IFF_PERSIST | IFF_NAPI;
  if ((request.ifr_flags & kOurs) != kQueueFlags || read_back != header_size) {
    return fail(fmt::format("the TUN device has flags {:#x} and a header of {} bytes instead of "
                            "{:#x} and {}",
                            request.ifr_flags, read_back, kQueueFlags, header_size),
                name, "Linux 6.1 or later is needed");
  }
  return {};
}

unsigned offload_bits(const TunOffloads& offloads) {
  unsigned bits = 0;
  if (offloads.checksum) bits |= TUN_F_CSUM;
  if (offloads.tcp) bits |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (offloads.udp) bits |= kOffloadUso4 | kOffloadUso6;
  return bits;
}

bool ask_for(const UniqueFd& queue, const TunOffloads& offloads) {
  return ::ioctl(queue.get(), TUNSETOFFLOAD, static_cast<unsigned long>(offload_bits(offloads))) ==
         0;
}

/// Set for the whole device by any queue, also when nothing is wanted.
Result<TunOffloads> grant_offloads(const UniqueFd& queue, TunOffloads wanted,
                                   const std::string& name) {
  if (ask_for(queue, wanted)) return wanted;
  if (wanted.udp) {
    wanted.udp = false;
    if (ask_for(queue, wanted)) return wanted;
  }
  return fail(fmt::format("cannot set the TUN device's offloads: {}", std::strerror(errno)), name);
}

TunOffloads without_failed(const TunOffloads& granted, const SuperPacketProof& proof) {
  TunOffloads kept = granted;
  if (proof.tcp == Proof::Fails) kept.tcp = false;
  if (proof.udp == Proof::Fails) kept.udp = false;
  kept.checksum = kept.tcp || kept.udp;
  return kept;
}

}  // namespace

Result<TunDevice> TunDevice::open(const TunSettings& settings) {
  const bool kernel_numbers = settings.name == "tun";
  if (!is_valid_name(settings.name)) {
    return fail("this is no name for a network device", settings.name,
                "use \"tun\", or up to 15 characters without '/', ':', '%' and spaces");
  }
  if (settings.queue_count == 0 || settings.queue_count > kQueuesMax) {
    return fail(
        fmt::format("a TUN device has 1 to {} queues, not {}", kQueuesMax, settings.queue_count),
        settings.name, "set fewer workers");
  }

  TunDevice device;
  device.name_ = kernel_numbers ? "tun%d" : settings.name;
  for (std::uint16_t i = 0; i < settings.queue_count; ++i) {
    Result<UniqueFd> queue = open_queue(settings.clone_device);
    if (!queue) return std::unexpected(queue.error());
    const auto attached = attach(*queue, device.name_, i == 0 ? kFirstQueueFlags : kQueueFlags);
    if (!attached) return std::unexpected(attached.error());
    const auto settled = settle(*queue, device.name_);
    if (!settled) return std::unexpected(settled.error());
    device.queues_.push_back(std::move(*queue));
  }
  const auto granted = grant_offloads(device.queues_[0], settings.offloads, device.name_);
  if (!granted) return std::unexpected(granted.error());
  device.offloads_ = *granted;
  if (granted->tcp || granted->udp) {
    device.proof_ = prove_super_packets(device.queue_fd(0));
    const TunOffloads proven = without_failed(*granted, device.proof_);
    const auto kept = grant_offloads(device.queues_[0], proven, device.name_);
    if (!kept) return std::unexpected(kept.error());
    device.offloads_ = *kept;
  }
  return device;
}

Result<void> TunDevice::set_offloads(const TunOffloads& offloads) {
  const auto queue = std::ranges::find_if(queues_, [](const UniqueFd& fd) { return bool{fd}; });
  if (queue == queues_.end()) return fail("no queue is left to set the offloads with", name_);
  if (!ask_for(*queue, offloads)) {
    return fail(fmt::format("cannot set the TUN device's offloads: {}", std::strerror(errno)),
                name_);
  }
  offloads_ = offloads;
  return {};
}

Result<void> TunDevice::steer_with(int program_fd) {
  const auto queue = std::ranges::find_if(queues_, [](const UniqueFd& fd) { return bool{fd}; });
  if (queue == queues_.end()) return fail("no queue is left to attach the program with", name_);
  if (::ioctl(queue->get(), TUNSETSTEERINGEBPF, &program_fd) < 0) {
    return fail(fmt::format("cannot attach the steering program: {}", std::strerror(errno)), name_,
                "packets are passed between the workers instead, which costs some speed");
  }
  return {};
}

}  // namespace ringway
