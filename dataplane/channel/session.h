#pragma once

#include <algorithm>
#include <expected>
#include <optional>

#include "base/address.h"
#include "base/drop.h"
#include "dataplane/channel/data_packet.h"
#include "dataplane/channel/keepalive.h"
#include "dataplane/channel/key_slots.h"
#include "dataplane/channel/outer_size.h"
#include "dataplane/channel/path_mtu.h"
#include "dataplane/channel/session_settings.h"
#include "dataplane/channel/whereabouts.h"

namespace ringway {

/// The data channel with one peer: its keys, where it is, and when it was last heard of.
///
/// Pure; neither copied nor moved. Owned by a worker's SessionTable (server) or a ClientCore, and
/// used on that thread alone. Nothing is allocated for a packet.
class Session {
 public:
  /// A payload and what it is; only PayloadKind::Packet is to be forwarded.
  struct Opened {
    PayloadKind kind;
    MutableBytes payload;
    /// No later packet of the peer has come before: wherever it came from, the peer is there.
    bool is_newest = false;
  };
  struct Traffic {
    std::uint64_t bytes_received = 0;  ///< whole datagrams that were authentic and new
    std::uint64_t bytes_sent = 0;      ///< whole datagrams
    std::uint64_t payload_bytes = 0;   ///< inner packets, both ways
    [[nodiscard]] std::uint64_t total() const { return bytes_received + bytes_sent; }
  };

  Session(PeerId peer_id, const LinkEndpoint& endpoint, const SessionSettings& settings,
          Instant now, const KeyLimits& limits = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] PeerId peer_id() const { return peer_id_; }
  [[nodiscard]] const LinkEndpoint& endpoint() const { return whereabouts_.endpoint(); }
  [[nodiscard]] const SessionSettings& settings() const { return settings_; }

  [[nodiscard]] Whereabouts& whereabouts() { return whereabouts_; }
  /// A peer that speaks DATA_V1 is known by its endpoint alone, and one that comes over TCP by its
  /// connection: neither can leave it.
  [[nodiscard]] bool can_move() const {
    return settings_.data_v2 && settings_.path != PathKind::Stream;
  }

  /// The largest inner packet that travels to the peer in one outer packet, now. A larger one is
  /// not to be sealed but for where nothing else is allowed (RFC 2473 7.2).
  [[nodiscard]] std::size_t packet_max() const { return packet_max_; }
  /// What a TCP SYN of either inner family may promise, in either direction.
  [[nodiscard]] const InnerMss& mss() const { return mss_; }
  [[nodiscard]] const PathMtu& path() const { return path_; }
  /// The peer is elsewhere, which something authentic has shown; what was known of the path holds
  /// no longer. A session in a SessionTable is moved by SessionTable::move().
  void move_to(const LinkEndpoint& endpoint, Instant now);
  /// The peer is known to listen. Without that the first packet that it seals says so.
  void start_path(Instant now);
  /// The kernel did not send a datagram of this size to the peer (EMSGSIZE).
  void note_refused(std::size_t datagram_size, Instant now);
  /// An ICMP message that seems to be about this path says that it carries no more than `mtu`.
  void note_hint(std::size_t mtu, Instant now);
  /// Looks after the path and the keys of epochs; when, say path_deadline() and key_deadline().
  void handle_timeout(Instant now);
  [[nodiscard]] PathMtu::Counts take_path_counts() { return path_.take_counts(); }
  [[nodiscard]] Instant path_deadline() const { return path_.deadline(); }
  /// When keys are to be made or wiped; nothing when there is nothing to do.
  [[nodiscard]] std::optional<Instant> key_deadline() const {
    std::optional<Instant> deadline = keys_.expires_at();
    if (!keys_.needs_preparation()) return deadline;
    const Instant due = prepared_at_ + kPreparationInterval;
    return deadline ? std::min(*deadline, due) : due;
  }

  /// poll_message() has something.
  [[nodiscard]] bool has_message() const { return path_.has_probe() || answer_size_ != 0; }
  /// The next sealed message about the path that is due: an answer to the peer, or a probe, each
  /// once. Nothing without a key, and no probe that does not fit into `scratch`.
  [[nodiscard]] std::optional<MutableBytes> poll_message(MutableBytes scratch, Instant now);

  /// What seal() adds to a payload, before and behind it.
  [[nodiscard]] std::size_t seal_overhead() const { return seal_overhead_; }
  /// Where the ciphertext will begin in what seal() builds: a payload put there is sealed in place.
  [[nodiscard]] std::size_t payload_offset() const { return payload_offset_; }
  /// The sealed datagram at the head of `out`. Drop::NoKey, Drop::KeyExhausted, Drop::TooBig.
  [[nodiscard]] std::expected<MutableBytes, Drop> seal(Bytes payload, MutableBytes out,
                                                       Instant now);
  /// Opens in place. Whether the datagram may come from where it came is the caller's to decide,
  /// before. Drop::UnknownKey, or what open_packet() says; activity is noted only on success.
  [[nodiscard]] std::expected<Opened, Drop> open(const DataHeader& header, MutableBytes datagram,
                                                 Instant now);

  [[nodiscard]] KeySlots& keys() { return keys_; }
  [[nodiscard]] const KeySlots& keys() const { return keys_; }
  [[nodiscard]] PingTimer& ping_timer() { return ping_timer_; }
  [[nodiscard]] const PingTimer& ping_timer() const { return ping_timer_; }
  [[nodiscard]] const Traffic& traffic() const { return traffic_; }
  /// A packet that the peer has sent or is sent, as whoever forwards it knows.
  void count_packet(std::size_t size) { traffic_.payload_bytes += size; }

 private:
  /// Answers to requests of MTU: so many at once, and then one in each interval (security goal
  /// C06).
  static constexpr int kAnswersAtOnce = 32;
  static constexpr Duration kAnswerInterval = 500ms;
  /// A peer that runs through its epochs has keys made for it no more often (security goal A21).
  static constexpr Duration kPreparationInterval = 1s;

  [[nodiscard]] OuterFormat outer() const {
    return {.is_v4 = endpoint().remote.address.is_v4(),
            .data_v2 = settings_.data_v2,
            .is_tcp = settings_.path == PathKind::Stream,
            .in_epochs = settings_.in_epochs};
  }
  [[nodiscard]] std::size_t udp_and_ip_size() const {
    return outer().size() - outer().data_channel_size();
  }
  void note_path();
  void handle_message(const Opened& opened, std::size_t datagram_size, Instant now);
  void write_probe(MutableBytes request, std::uint16_t path_mtu);

  PeerId peer_id_;
  Whereabouts whereabouts_;
  SessionSettings settings_;
  std::size_t seal_overhead_;
  std::size_t payload_offset_;
  PingTimer ping_timer_;
  Traffic traffic_;
  KeySlots keys_;
  Instant prepared_at_;
  PathMtu path_;
  std::size_t packet_max_ = 0;
  InnerMss mss_;
  /// Of the datagrams sent since the path was last looked after.
  std::size_t largest_sent_ = 0;
  /// The peer answers no requests of MTU, so that it may answer these.
  bool probes_by_echo_ = false;
  /// The size of the path that the echo request which is out probes; 0: none is.
  std::uint16_t echo_path_mtu_ = 0;
  std::uint16_t echo_sequence_ = 0;
  /// The size of the datagram with the request that waits for an answer; 0: none does.
  std::size_t answer_size_ = 0;
  /// When the next answer would be due if all came in equal intervals.
  Instant next_answer_;
};

}  // namespace ringway
