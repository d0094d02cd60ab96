#pragma once

#include <vector>

#include "perf/src/floor/link_socket.h"
#include "perf/src/floor/train.h"
#include "tun/coalescer.h"
#include "tun/tun_device.h"

namespace ringway::floor {

/// Moves packets between a TUN queue and a socket with every offload the kernel has, and with all
/// the work that a VPN does but cryptography: super-packets are cut and summed, trains are split,
/// each packet's checksums verified, and put together again. What a VPN in user space cannot beat.
///
/// SHELL: one thread, poll(2), plain system calls.
class Forwarder {
 public:
  Forwarder(LinkSocket& link, const TunDevice& tun);

  /// Until a signal ends the process.
  void run();

 private:
  /// Messages in one turn: enough for a batch when they are single datagrams, few enough that
  /// trains stay in the cache.
  static constexpr std::size_t kMessagesMax = 64;
  static constexpr std::size_t kBytesMax = 256 << 10;
  static constexpr std::size_t kMessageSize = 1 << 16;
  static constexpr std::size_t kFramesMax = 64;

  bool receive_turn();
  void add_train(const LinkSocket::Received& received);
  void write_frames();
  bool send_turn();
  void send_frame(Bytes frame);
  void flush();

  LinkSocket& link_;
  int tun_fd_;
  Coalescer coalescer_;
  std::vector<std::uint8_t> received_;
  std::vector<std::uint8_t> frame_;
  Train train_;
};

}  // namespace ringway::floor
