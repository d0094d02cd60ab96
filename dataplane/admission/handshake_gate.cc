#include "dataplane/admission/handshake_gate.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "dataplane/admission/early_negotiation.h"

namespace ringway {
namespace {

/// What the unprotected head of a stranger's packet rules out before anything is computed.
std::optional<Drop> refuse_by_head(Bytes datagram) {
  ByteReader reader(datagram);
  const std::uint8_t first = reader.u8();
  reader.skip(SessionId::kSize);
  if (reader.truncated()) return Drop::Truncated;
  if (datagram.size() > HandshakeGate::kDatagramSizeMax) return Drop::Oversize;

  const Opcode opcode = opcode_of(first);
  const bool may_begin = opcode == Opcode::HardResetClientV2 || opcode == Opcode::ControlV1 ||
                         opcode == Opcode::AckV1 || carries_wrapped_key(opcode);
  if (!may_begin) return Drop::UnknownOpcode;
  if (key_id_of(first).value != 0) return Drop::WrongKeyId;
  return std::nullopt;
}

/// Only 0, the reset, and 1, the ClientHello, can exist yet. A stray packet of a session that is
/// gone may still carry a valid cookie; its higher ids tell it apart (security goal A06).
bool is_of_the_beginning(const ControlPacket& packet) {
  const auto first_two = [](MessageId id) { return id.value <= 1; };
  return std::ranges::all_of(packet.acks(), first_two) && first_two(packet.message_id);
}

/// A 2.4 or 2.5 client acknowledges our reset once, in an ACK_V1 of its own; when that one is lost,
/// nothing it sends carries the cookie any more, and it would stall until its hand-window ends.
bool lost_its_ack(const ControlPacket& packet) {
  return packet.opcode == Opcode::ControlV1 && packet.ack_count == 0 &&
         packet.message_id.value == 1;
}

}  // namespace

HandshakeGate::HandshakeGate(const TlsWrap& wrap, const HandshakeCookie& cookie,
                             HandshakeLimits* limits)
    : wrap_(wrap), cookie_(cookie), limits_(limits) {}

GateVerdict HandshakeGate::handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now,
                                           MutableBytes scratch) {
  if (const auto refused = refuse_by_head(datagram)) return *refused;
  return carries_wrapped_key(opcode_of(datagram[0])) ? handle_v2(datagram, from, now, scratch)
                                                     : handle_shared(datagram, from, now, scratch);
}

GateVerdict HandshakeGate::handle_shared(Bytes datagram, const LinkEndpoint& from, Now now,
                                         MutableBytes scratch) {
  std::array<std::uint8_t, kDatagramSizeMax> plain;
  const auto unwrapped = wrap_.unwrap(datagram, plain);
  if (!unwrapped) return unwrapped.error();
  const auto packet = decode_control_packet(unwrapped->plain);
  if (!packet) return packet.error();

  if (packet->opcode == Opcode::HardResetClientV2) {
    if (packet->message_id.value != 0) return Drop::BadReset;
    return reply({.wrap = wrap_, .payload = {}}, packet->sender, from, now, scratch);
  }
  if (lost_its_ack(*packet)) {
    return reply({.wrap = wrap_, .payload = {}}, packet->sender, from, now, scratch);
  }
  return within_limits(check_proof(*packet, from, now), from, now.instant);
}

/// The policy about the key's age comes after the cookie: it is nothing that strangers may ask.
GateVerdict HandshakeGate::handle_v2(Bytes datagram, const LinkEndpoint& from, Now now,
                                     MutableBytes scratch) {
  const TlsCryptV2Server* const v2 = wrap_.v2();
  if (v2 == nullptr) return Drop::UnknownOpcode;
  const auto cut = cut_wrapped_key(datagram);
  if (!cut) return cut.error();
  auto client = v2->key.unwrap(cut->wrapped);
  if (!client) return client.error();
  const TlsWrap own(TlsCrypt(client->key, Side::Server));
  std::array<std::uint8_t, kDatagramSizeMax> plain;
  const auto unwrapped = own.unwrap(cut->packet, plain);
  if (!unwrapped) return unwrapped.error();
  const auto packet = decode_control_packet(unwrapped->plain);
  if (!packet) return packet.error();

  if (packet->opcode == Opcode::HardResetClientV3) {
    if (packet->message_id.value != 0) return Drop::BadReset;
    if (announces_early_negotiation(unwrapped->stamp)) {
      return reply({.wrap = own, .payload = kResendWrappedKey}, packet->sender, from, now, scratch);
    }
    if (v2->force_cookie) return Drop::BadReset;
    if (v2->is_stale(client->metadata, now.wall)) return Drop::StaleClientKey;
    // Not within the limits of those who have proven their addresses: one such reset that was
    // recorded is good for ever, from any address (A04). Whoever serves it has a limit for it.
    return GateUnproven{.remote = packet->sender,
                        .client_key = std::move(client->key),
                        .metadata = client->metadata};
  }
  GateVerdict verdict = check_proof(*packet, from, now);
  if (auto* const proven = std::get_if<GateProven>(&verdict)) {
    if (v2->is_stale(client->metadata, now.wall)) return Drop::StaleClientKey;
    proven->client_key = std::move(client->key);
    proven->metadata = client->metadata;
  }
  return within_limits(std::move(verdict), from, now.instant);
}

GateVerdict HandshakeGate::check_proof(const ControlPacket& packet, const LinkEndpoint& from,
                                       Now now) const {
  if (packet.ack_count == 0) return Drop::BadCookie;
  if (!is_of_the_beginning(packet)) return Drop::BadReset;
  if (!cookie_.verify(packet.receiver, from, packet.sender, now.instant)) return Drop::BadCookie;
  return GateProven{.local = packet.receiver,
                    .remote = packet.sender,
                    .client_key = std::nullopt,
                    .metadata = {}};
}

/// What the reset says is the cookie, as our session id. It is sealed with the present time:
/// a client that has seen an earlier one would refuse the same stamp as a replay.
GateVerdict HandshakeGate::reply(const ReplyForm& form, SessionId client, const LinkEndpoint& from,
                                 Now now, MutableBytes scratch) {
  RW_ASSERT(scratch.size() >= kDatagramSizeMax);
  const bool is_limited = limits_ != nullptr && !from.is_tcp();
  if (is_limited && !limits_->take_answer(from.remote.address, now.instant)) {
    return Drop::RateLimited;
  }

  const ControlPacket reset{
      .opcode = Opcode::HardResetServerV2,
      .key_id = {0},
      .sender = cookie_.make(from, client, now.instant),
      .ack_count = 1,
      .ack_ids = {MessageId{0}},
      .receiver = client,
      .message_id = {0},
      .payload = form.payload,
  };
  std::array<std::uint8_t, ControlPacket::kHeaderSizeMax + sizeof kResendWrappedKey> plain;
  ByteWriter writer(plain);
  encode_control_packet(reset, writer);
  RW_ASSERT(!writer.overflowed());

  const ReplayStamp stamp{.id = 1, .time = static_cast<std::uint32_t>(now.wall.seconds)};
  return GateReply{form.wrap.wrap(writer.written(), stamp, scratch)};
}

/// Asked last, so that only who has the key and the cookie uses anything up.
GateVerdict HandshakeGate::within_limits(GateVerdict verdict, const LinkEndpoint& from,
                                         Instant now) {
  if (std::holds_alternative<Drop>(verdict) || limits_ == nullptr) return verdict;
  if (!limits_->take_handshake(from.remote.address, now)) return Drop::RateLimited;
  return verdict;
}

}  // namespace ringway
