#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "control/client_core.h"
#include "dataplane/counters.h"
#include "dataplane/lasting_request.h"
#include "dataplane/link_receiver.h"
#include "dataplane/link_sender.h"
#include "dataplane/offloads.h"
#include "dataplane/ring.h"
#include "dataplane/tun_reader.h"
#include "dataplane/tun_writer.h"
#include "dataplane/udp_socket.h"
#include "tun/mss_clamp.h"
#include "tun/segmenter.h"

namespace ringway {

/// SHELL: moves bytes between one UDP socket, one TUN queue and a ClientCore on one ring; the
/// client's counterpart of WorkerLoop, of the same parts. Has no opinion about OpenVPN, and none
/// about events: its owner asks the core for them after each turn.
///
/// Serves one connection. One thread. What it is given outlives it; the TUN queue is closed later
/// than shut_down() returns.
class ClientLoop {
 public:
  struct Settings {
    /// Exactly one, without a listener's steering.
    std::span<const UdpSocket> sockets;
    /// Datagrams from elsewhere are dropped.
    Endpoint server;
    /// The largest inner packet that will be asked for.
    std::size_t tun_mtu_max = 1500;
    Offloads offloads;
    bool multishot_tun_reads = true;
    /// A turn ends when this can be read from: the signals.
    int wake_fd = -1;
  };
  /// The TUN queue, as soon as there is one.
  struct Tun {
    int fd = -1;
    std::size_t mtu = 1500;
    TunOffloads offloads;
    MssLimits mss;
  };

  ClientLoop(const Settings& settings, ClientCore& core, Counters& counters);
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  /// Makes the ring and registers the buffers.
  [[nodiscard]] Result<void> set_up();
  /// The core is connected: packets may flow.
  void attach(const Tun& tun);
  /// Sends what is due, waits until something happens, and deals with it.
  void turn();
  /// Cancels everything and returns when the kernel holds no memory of this object any more.
  void shut_down();

 private:
  void flush();
  [[nodiscard]] Duration wait_time() const;
  void act_on(const Completion& completion);
  void tick();
  void arm_requests();
  void reclaim(const Completion& completion);

  // client_loop_link.cc: from the server to the TUN.
  void drain_link();
  void handle_message(LinkReceiver::Message& message);
  [[nodiscard]] bool handle_datagram(MutableBytes datagram, std::uint8_t outer_ecn);
  [[nodiscard]] bool write_to_tun(MutableBytes datagram, MutableBytes packet,
                                  std::uint8_t outer_ecn);
  void release_written();

  // client_loop_tun.cc: from the TUN to the server.
  void drain_tun();
  [[nodiscard]] std::optional<Segmenter> start_frame(Bytes frame);
  [[nodiscard]] bool send_segments(Segmenter& segmenter, MutableBytes packet);

  void drop(Drop reason) { counters_.add(reason); }

  Settings settings_;
  ClientCore& core_;
  Counters& counters_;
  LinkEndpoint server_;

  /// First in, last out: everything below may be registered with it.
  Ring ring_;
  LinkReceiver receiver_;
  TunReader reader_;
  LinkSender sender_;
  std::optional<TunWriter> writer_;
  Tun tun_;

  std::array<Completion, 512> completions_{};
  std::size_t completion_count_ = 0;
  LastingRequest wake_;

  /// Frames that wait for the socket.
  std::vector<TunReader::Frame> tun_pending_;
  /// What is left of the first pending frame.
  std::optional<Segmenter> cut_;
  Now now_;
  Instant next_tick_;
  unsigned ticks_ = 0;
};

}  // namespace ringway
