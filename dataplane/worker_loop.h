#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "dataplane/batch_pacer.h"
#include "dataplane/datapath.h"
#include "dataplane/lasting_request.h"
#include "dataplane/link_feeder.h"
#include "dataplane/link_message.h"
#include "dataplane/link_receiver.h"
#include "dataplane/link_sender.h"
#include "dataplane/link_streams.h"
#include "dataplane/outbox.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/ring.h"
#include "dataplane/tun_reader.h"
#include "dataplane/tun_writer.h"
#include "dataplane/worker.h"

namespace ringway {

/// SHELL: what runs on a worker's thread. Moves bytes between the sockets, the TUN queue, the other
/// threads and the Datapath, and has no opinion about OpenVPN.
///
/// Made, used and destroyed on the worker's thread. Each turn of the loop does this, in this order
/// (dataplane/messages.h says why commands come between the two halves of completions):
///
///     submit what the last turn prepared, and wait      -- the one system call of a busy turn
///     read the clock, once
///     copy the completions, look at the lanes           -- what has arrived
///     carry out commands
///     act on the completions, then on what the link brought, the lanes' packets, and the TUN's
///     timers; reports; give buffers back; arm what has ended; ring bells
class WorkerLoop {
 public:
  /// What the worker shares with other threads; it outlives the loop.
  struct Surroundings {
    const WorkerLanes& lanes;
    const Wakeup& bell;
    const Wakeup& control_bell;
    PeerTrafficTable& traffic;
    const std::atomic<bool>& stop_requested;
  };
  WorkerLoop(const WorkerSettings& settings, WorkerPorts& ports, const Surroundings& around);
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  /// Makes the ring and registers the buffers.
  [[nodiscard]] Result<void> set_up();
  /// Until Stop; returns when the kernel holds no memory of this object any more.
  void run();

 private:
  // worker_loop.cc: the turn.
  void turn();
  [[nodiscard]] int wait();
  [[nodiscard]] Duration wait_time() const;
  void note_load();
  void compare_cores();
  void drain_commands();
  void handle_command(WorkerCommand command);
  void note_known(const KnowChannel& known);
  void keep_traffic_of(PeerId peer);
  void act_on(const Completion& completion);
  void note_sent(const Completion& completion);
  void run_timers();
  void publish_traffic();
  void flush();
  void arm_requests();
  void ring_bells();
  void shut_down();
  void reclaim(const Completion& completion);

  // worker_loop_link.cc: from the link, from the lanes, and to the link.
  void drain_link();
  void handle_message(LinkReceiver::Message& message);
  [[nodiscard]] bool handle_datagram(MutableBytes datagram, UplinkSource& source);
  void take_over(const PacketRing::Record& record);
  void take_over_datagram(const PacketRing::Record& record);
  /// Where a packet for a client came from.
  struct Provenance {
    bool from_lane = false;
    LinkFeeder::Origin origin;
  };
  void forward_to_peer(MutableBytes packet, const Provenance& provenance);
  void hand_over(WorkerId to, const PacketOrigin& origin, Bytes bytes);
  void give_to_control(const LinkEndpoint& from, Bytes datagram, bool is_newcomer);
  void send(const Verdict& verdict);
  void answer(const Verdict& verdict);

  // worker_loop_stream.cc: the same over TCP.
  void drain_streams();
  void handle_part();
  void judge_drop(Drop reason, const LinkEndpoint& from);
  void take_from_control();
  void report_ended();

  // worker_loop_tun.cc: from the TUN and to the TUN.
  void handle_frame(const TunReader::Frame& frame);
  void hand_over_frame(RoutedFrame& frame, MutableBytes packet);
  [[nodiscard]] bool write_to_tun(MutableBytes datagram, const Verdict& verdict,
                                  std::uint8_t outer_ecn);
  void handle_cut_off(Bytes packet);
  void refit_for_tun(const Verdict& verdict, PeerId from);
  void drain_outbox();
  void release_written();

  void drop(Drop reason) { ports_.counters.add(reason); }

  const WorkerSettings& settings_;
  WorkerPorts& ports_;
  const Surroundings around_;

  /// A larger datagram is nobody's. What the kernel cuts off where a buffer has room for one only.
  const std::size_t datagram_size_max_;

  /// First in, last out: everything below may be registered with it.
  Ring ring_;
  LinkReceiver receiver_;
  TunReader reader_;
  LinkSender sender_;
  /// Answers to strangers: in small buffers of their own, so that a flood takes no room from
  /// clients.
  LinkSender answers_;
  /// Where there is a TCP listener.
  std::unique_ptr<LinkStreams> streams_;
  /// Datagrams from other workers, and the outbox's packets.
  BufferPool taken_over_;
  Outbox outbox_;
  TunWriter writer_;
  Datapath datapath_;
  /// For what is made or copied before it has a place: pings, packets from the lanes, which may be
  /// of any size.
  std::vector<std::uint8_t> scratch_;
  LinkFeeder feeder_;

  std::array<Completion, 512> completions_{};
  std::size_t completion_count_ = 0;
  LastingRequest bell_;
  std::array<std::uint8_t, 8> bell_count_{};

  /// Peers whose session is here, for the traffic table.
  std::vector<PeerId> peers_;
  std::vector<bool> bell_due_;
  bool control_bell_due_ = false;
  bool transmit_due_ = false;
  bool stopping_ = false;
  std::uint32_t overflows_seen_ = 0;
  BatchPacer pacer_;
  /// Something came from the link since the last tick.
  bool link_was_active_ = false;
  Instant now_;
  Instant next_tick_;
  unsigned ticks_ = 0;
};

}  // namespace ringway
