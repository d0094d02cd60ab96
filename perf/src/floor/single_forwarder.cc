#include "perf/src/floor/single_forwarder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/opcode.h"
#include "perf/src/floor/train.h"
#include "tun/vnet_header.h"

namespace ringway::floor {
namespace {

constexpr std::size_t kPacketSizeMax = 1 << 16;

}  // namespace

SingleForwarder::SingleForwarder(LinkSocket& link, const TunDevice& tun)
    : link_(link), tun_fd_(tun.queue_fd(0)) {}

void SingleForwarder::run_polling() {
  std::array<pollfd, 2> wanted{pollfd{.fd = link_.fd(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = tun_fd_, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (::poll(wanted.data(), wanted.size(), -1) < 0) continue;
    if (wanted[0].revents != 0) to_tun(false);
    if (wanted[1].revents != 0) to_link();
  }
}

void SingleForwarder::run_blocking() {
  ::fcntl(tun_fd_, F_SETFL, ::fcntl(tun_fd_, F_GETFL) & ~O_NONBLOCK);
  const std::jthread uplink([this] {
    for (;;) to_tun(true);
  });
  for (;;) to_link();
}

bool SingleForwarder::to_tun(bool wait) {
  std::array<std::uint8_t, kPacketSizeMax> memory;
  const auto received = wait ? link_.receive_waiting(memory) : link_.receive(memory);
  if (!received || received->bytes.size() <= kOverhead) return false;
  // The virtio header is put over the end of the tunnel's own.
  static_assert(kOverhead >= kVnetHeaderSize);
  std::uint8_t* frame = memory.data() + kOverhead - kVnetHeaderSize;
  std::fill_n(frame, kVnetHeaderSize, std::uint8_t{0});
  return ::write(tun_fd_, frame, received->bytes.size() - kOverhead + kVnetHeaderSize) > 0;
}

bool SingleForwarder::to_link() {
  std::array<std::uint8_t, kPacketSizeMax + kOverhead> memory;
  constexpr std::size_t kFrameAt = kOverhead - kVnetHeaderSize;
  const ssize_t size = ::read(tun_fd_, memory.data() + kFrameAt, kPacketSizeMax);
  if (size <= static_cast<ssize_t>(kVnetHeaderSize)) return false;
  std::fill_n(memory.begin(), kOverhead, std::uint8_t{0});
  memory[0] = first_byte(Opcode::DataV2, {0});
  const std::size_t datagram_size = kFrameAt + static_cast<std::size_t>(size);
  return link_.send(Bytes(memory).first(datagram_size), datagram_size);
}

}  // namespace ringway::floor
