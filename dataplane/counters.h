#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/drop.h"
#include "dataplane/channel/path_mtu.h"
#include "dataplane/spsc_queue.h"

namespace ringway {

/// What a worker counts besides drops. kCounterNames follows the same order.
enum class Counter : std::uint8_t {
  LinkReceivedPackets,
  LinkReceivedBytes,
  LinkReceivedTrains,   ///< messages with more than one datagram
  LinkCongestionMarks,  ///< datagrams that a router has marked (ECN)
  LinkSentPackets,
  LinkSentBytes,
  LinkSentTrains,      ///< sends of more than one datagram
  LinkRefusedTrains,   ///< trains that the kernel refused, sent again datagram by datagram
  LinkFragmented,      ///< datagrams that were sent in IP fragments, because nothing else is legal
  PathProbes,          ///< sent to find out what the paths to peers carry
  PathAnswers,         ///< ... and what was answered
  PathBlackHoles,      ///< times that a size which had got through to a peer did so no longer
  PathHints,           ///< ICMP messages and refusals of the kernel that were looked at
  TunReceivedPackets,  ///< read from the TUN, on their way to a client
  TunReceivedBytes,
  TunReceivedFrames,  ///< super-packets among them
  TunSentPackets,     ///< inner packets that the TUN took, alone or merged
  TunSentBytes,
  TunWrittenFrames,        ///< writes that the TUN took
  TunMergedPackets,        ///< inner packets that were in super-packets
  TunRefusedFrames,        ///< super-packets that the kernel refused, written again one by one
  TunMergingPauses,        ///< times that refusals went on, and a kind was not merged for a while
  InnerFragmentedPackets,  ///< inner IPv4 packets that were larger than their way takes
  InnerFragments,          ///< ... and what they became
  TooBigAnswers,           ///< inner senders that were told of a packet that was too big
  TooBigUnanswered,        ///< ... and that were not: too many answers of late, or not allowed
  TunWriteWaits,           ///< turns in which received packets waited for writes in flight
  ControlDatagrams,        ///< of connected clients, given to the control thread
  NewcomerDatagrams,       ///< ... of those who have returned a cookie and are not connected yet
  HandshakeAnswers,        ///< first packets of strangers that were answered with a cookie
  HandedOverPackets,       ///< given to the worker that owns them
  TakenOverPackets,        ///< received from other workers
  PeerFloats,              ///< sessions that have followed their client elsewhere
  FloatsTakenBack,         ///< ... and went back, because somebody else is there
  LoopTurns,
  GatherTurns,         ///< ... before which it waited for a batch
  SpinTurns,           ///< ... before which it did not sleep (`busy-poll-us`)
  LinkForeignCpu,      ///< seconds in which a socket's last datagram was handled on another core
  LinkReceiveStarved,  ///< a multishot receive ended for want of buffers (ENOBUFS)
  LinkReceiveFailed,   ///< ... or with another error
  LinkReceiveArmed,
  TunReadStarved,
  TunReadFailed,
  TunReadArmed,
  LinkWaits,  ///< times that a socket's send buffer was full
  TunWaits,   ///< turns after which packets for the link waited, for a full socket or for a turn
  StreamsAccepted,  ///< TCP connections
  StreamsEvicted,   ///< ... half-open ones that made room for newer ones
  StreamsTimedOut,  ///< ... that did not prove themselves in time
  StreamsBroken,    ///< ... closed for what they brought
  StreamAcceptFailed,
  StreamWaits,  ///< turns after which packets waited for a slow TCP client
  CompletionOverflows,
  RingFailures,  ///< io_uring_enter() answered with an error that is not a time-out
  kCount,
};

inline constexpr std::size_t kCounterCount = static_cast<std::size_t>(Counter::kCount);

inline constexpr std::string_view kCounterNames[] = {"link_received_packets",
                                                     "link_received_bytes",
                                                     "link_received_trains",
                                                     "link_congestion_marks",
                                                     "link_sent_packets",
                                                     "link_sent_bytes",
                                                     "link_sent_trains",
                                                     "link_refused_trains",
                                                     "link_fragmented",
                                                     "path_probes",
                                                     "path_answers",
                                                     "path_black_holes",
                                                     "path_hints",
                                                     "tun_received_packets",
                                                     "tun_received_bytes",
                                                     "tun_received_frames",
                                                     "tun_sent_packets",
                                                     "tun_sent_bytes",
                                                     "tun_written_frames",
                                                     "tun_merged_packets",
                                                     "tun_refused_frames",
                                                     "tun_merging_pauses",
                                                     "inner_fragmented_packets",
                                                     "inner_fragments",
                                                     "too_big_answers",
                                                     "too_big_unanswered",
                                                     "tun_write_waits",
                                                     "control_datagrams",
                                                     "newcomer_datagrams",
                                                     "handshake_answers",
                                                     "handed_over_packets",
                                                     "taken_over_packets",
                                                     "peer_floats",
                                                     "floats_taken_back",
                                                     "loop_turns",
                                                     "gather_turns",
                                                     "spin_turns",
                                                     "link_foreign_cpu",
                                                     "link_receive_starved",
                                                     "link_receive_failed",
                                                     "link_receive_armed",
                                                     "tun_read_starved",
                                                     "tun_read_failed",
                                                     "tun_read_armed",
                                                     "link_waits",
                                                     "tun_waits",
                                                     "streams_accepted",
                                                     "streams_evicted",
                                                     "streams_timed_out",
                                                     "streams_broken",
                                                     "stream_accept_failed",
                                                     "stream_waits",
                                                     "completion_overflows",
                                                     "ring_failures"};
static_assert(sizeof kCounterNames / sizeof kCounterNames[0] == kCounterCount);

constexpr std::string_view name_of(Counter counter) {
  return kCounterNames[static_cast<std::size_t>(counter)];
}

/// The errors of sendmsg() and of TUN writes that are counted by name; the last is all others.
inline constexpr std::string_view kIoErrorNames[] = {
    "eagain",       "enobufs",  "enomem", "eperm", "eacces",        "enetunreach", "ehostunreach",
    "econnrefused", "emsgsize", "einval", "eio",   "eaddrnotavail", "enetdown",    "other"};
inline constexpr std::size_t kIoErrorCount = sizeof kIoErrorNames / sizeof kIoErrorNames[0];
/// The place of `error_number` (errno, positive) in kIoErrorNames.
[[nodiscard]] std::size_t io_error_index(int error_number);

/// One moment's values of a worker's counters. Pure value.
struct CounterSnapshot {
  std::array<std::uint64_t, kCounterCount> counters{};
  std::array<std::uint64_t, kDropCount> drops{};
  std::array<std::uint64_t, kIoErrorCount> send_errors{};
  std::array<std::uint64_t, kIoErrorCount> tun_write_errors{};

  [[nodiscard]] std::uint64_t of(Counter counter) const {
    return counters[static_cast<std::size_t>(counter)];
  }
  [[nodiscard]] std::uint64_t of(Drop drop) const { return drops[static_cast<std::size_t>(drop)]; }
  /// Adds another worker's.
  void add(const CounterSnapshot& other);
};

/// The counters of one worker. Only its thread writes; any thread may take a snapshot. Relaxed
/// loads and stores and no read-modify-write: a counter costs what a plain variable costs. The
/// values of one snapshot are not of the very same moment.
class alignas(kCacheLineSize) Counters {
 public:
  void add(Counter counter, std::uint64_t amount = 1) {
    bump(counters_[static_cast<std::size_t>(counter)], amount);
  }
  void add(const PathMtu::Counts& counts) {
    add(Counter::PathProbes, counts.probes);
    add(Counter::PathAnswers, counts.answers);
    add(Counter::PathBlackHoles, counts.black_holes);
    add(Counter::PathHints, counts.hints);
  }
  void add(Drop drop, std::uint64_t amount = 1) {
    bump(shell_drops_[static_cast<std::size_t>(drop)], amount);
  }
  void add_send_error(int error_number) { bump(send_errors_[io_error_index(error_number)], 1); }
  void add_tun_write_error(int error_number) {
    bump(tun_write_errors_[io_error_index(error_number)], 1);
  }
  /// The core counts its drops itself; this makes them visible to other threads.
  void publish_core_drops(const std::array<std::uint64_t, kDropCount>& drops);

  [[nodiscard]] CounterSnapshot snapshot() const;

 private:
  using Cell = std::atomic<std::uint64_t>;
  static void bump(Cell& cell, std::uint64_t amount) {
    cell.store(cell.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  std::array<Cell, kCounterCount> counters_{};
  std::array<Cell, kDropCount> shell_drops_{};
  std::array<Cell, kDropCount> core_drops_{};
  std::array<Cell, kIoErrorCount> send_errors_{};
  std::array<Cell, kIoErrorCount> tun_write_errors_{};
};

}  // namespace ringway
