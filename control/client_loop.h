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
#include "dataplane/link_streams.h"
#include "dataplane/offloads.h"
#include "dataplane/outbox.h"
#include "dataplane/ring.h"
#include "dataplane/tun_reader.h"
#include "dataplane/tun_writer.h"
#include "dataplane/udp_socket.h"
#include "tun/fitted_packets.h"
#include "tun/segmenter.h"

namespace ringway {

/// SHELL: moves bytes between one UDP socket or TCP connection, one TUN queue and a ClientCore on
/// one ring; the client's counterpart of WorkerLoop, of the same parts. Has no opinion about
/// OpenVPN, and none about events: its owner asks the core for them after each turn.
///
/// Serves one connection. One thread. What it is given outlives it; the TUN queue is closed later
/// than shut_down() returns.
class ClientLoop {
 public:
  struct Settings {
    /// UDP: exactly one, without a listener's steering.
    std::span<const UdpSocket> sockets;
    /// TCP: a connected socket, which is taken over.
    TcpSocket* stream = nullptr;
    /// Datagrams from elsewhere are dropped,
    Endpoint server;
    /// unless the server may change its address; an authentic packet tells where it is.
    bool floats = false;
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
  void note_sent(const Completion& completion);
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

  // client_loop_stream.cc: what differs over TCP.
  void make_stream(TcpSocket& socket);
  void drain_stream();
  [[nodiscard]] bool has_room_for_control();
  [[nodiscard]] bool is_ready();
  [[nodiscard]] MutableBytes reserve(std::size_t size, std::uint8_t outer_class);
  void commit();
  [[nodiscard]] bool send(Bytes datagram);

  // client_loop_tun.cc: from the TUN to the server.
  void drain_tun();
  void start_frame(MutableBytes frame);
  void refit(const Segmenter& segmenter, MutableBytes packet, std::size_t limit);
  [[nodiscard]] bool send_rest(MutableBytes packet);
  [[nodiscard]] bool send_segments(Segmenter& segmenter, MutableBytes packet);
  [[nodiscard]] bool send_fitted(FittedPackets& packets);
  void drain_outbox();

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
  /// Over TCP.
  std::optional<LinkStreams> stream_;
  BufferPool answers_;
  Outbox outbox_;
  std::optional<TunWriter> writer_;
  Tun tun_;

  std::array<Completion, 512> completions_{};
  std::size_t completion_count_ = 0;
  LastingRequest wake_;

  /// Frames that wait for the socket.
  std::vector<TunReader::Frame> tun_pending_;
  /// For what the core sends of its own accord.
  std::vector<std::uint8_t> scratch_;
  /// What is left of the first pending frame: one of them.
  std::optional<Segmenter> cut_;
  std::optional<FittedPackets> fitted_;
  Now now_;
  Instant next_tick_;
  unsigned ticks_ = 0;
};

}  // namespace ringway
