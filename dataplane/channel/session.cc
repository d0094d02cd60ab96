#include "dataplane/channel/session.h"

namespace ringway {

Session::Session(PeerId peer_id, const LinkEndpoint& endpoint, const SessionSettings& settings,
                 Instant now, const KeyLimits& limits)
    : peer_id_(peer_id),
      endpoint_(endpoint),
      settings_(settings),
      ping_timer_(settings.ping_interval, settings.ping_restart, now),
      keys_(limits) {}

std::expected<MutableBytes, Drop> Session::seal(Bytes payload, MutableBytes out, Instant now) {
  KeyState* const key = keys_.sealing(now);
  if (key == nullptr) return std::unexpected(Drop::NoKey);

  const DataHeader header{.opcode = settings_.data_v2 ? Opcode::DataV2 : Opcode::DataV1,
                          .key_id = key->key_id(),
                          .peer_id = peer_id_};
  const std::expected<MutableBytes, Drop> datagram = seal_packet(*key, header, payload, out);
  if (!datagram) return datagram;

  ping_timer_.note_sent(now);
  traffic_.bytes_sent += datagram->size();
  return datagram;
}

std::expected<Session::Opened, Drop> Session::open(const DataHeader& header, MutableBytes datagram,
                                                   Instant now) {
  KeyState* const key = keys_.find(header.key_id, now);
  if (key == nullptr) return std::unexpected(Drop::UnknownKey);

  const std::expected<MutableBytes, Drop> payload = open_packet(*key, header, datagram);
  if (!payload) return std::unexpected(payload.error());

  keys_.promote(header.key_id);
  ping_timer_.note_received(now);
  traffic_.bytes_received += datagram.size();
  return Opened{.kind = classify_payload(*payload), .payload = *payload};
}

}  // namespace ringway
