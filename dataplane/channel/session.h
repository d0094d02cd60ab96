#pragma once

#include <expected>

#include "base/address.h"
#include "base/drop.h"
#include "dataplane/channel/data_packet.h"
#include "dataplane/channel/keepalive.h"
#include "dataplane/channel/key_slots.h"
#include "dataplane/channel/session_settings.h"

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
  };
  struct Traffic {
    std::uint64_t bytes_received = 0;  ///< whole datagrams that were authentic and new
    std::uint64_t bytes_sent = 0;      ///< whole datagrams
  };

  Session(PeerId peer_id, const LinkEndpoint& endpoint, const SessionSettings& settings,
          Instant now, const KeyLimits& limits = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] PeerId peer_id() const { return peer_id_; }
  [[nodiscard]] const LinkEndpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const SessionSettings& settings() const { return settings_; }

  /// Where the ciphertext will begin in what seal() builds: a payload put there is sealed in place.
  [[nodiscard]] std::size_t seal_overhead() const {
    return data_overhead(settings_.data_v2 ? DataHeader::kSizeMax : 1);
  }
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

 private:
  PeerId peer_id_;
  LinkEndpoint endpoint_;
  SessionSettings settings_;
  PingTimer ping_timer_;
  Traffic traffic_;
  KeySlots keys_;
};

}  // namespace ringway
