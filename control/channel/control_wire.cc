#include "control/channel/control_wire.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/early_negotiation.h"

namespace ringway {
namespace {

/// IPv6 and UDP; assumed whatever carries us, because a client may change from one to the other.
constexpr std::size_t kOuterHeaderSize = 40 + 8;
/// A message carries at most four acknowledgements.
constexpr std::size_t kPacketHeaderSize =
    ControlPacket::kHeaderSizeMax -
    4 * (ControlPacket::kAcksMax - ControlPacket::kPiggybackAcksMax);
constexpr std::size_t kPayloadSizeMin = 64;

/// What the opcode would be without tls-crypt-v2.
Opcode without_key(Opcode opcode) {
  switch (opcode) {
    case Opcode::HardResetClientV3: return Opcode::HardResetClientV2;
    case Opcode::ControlWkcV1: return Opcode::ControlV1;
    default: return opcode;
  }
}

bool is_answer_to_first_reset(const ControlPacket& packet) {
  const auto acks = packet.acks();
  return packet.opcode == Opcode::HardResetServerV2 && packet.key_id == KeyId{0} &&
         std::ranges::find(acks, MessageId{0}) != acks.end();
}

}  // namespace

ControlWire::ControlWire(const TlsWrap& wrap, SessionId local, std::optional<SessionId> remote,
                         ReplayCounter counter)
    : local_(local), remote_(remote), layer_{.wrap = &wrap, .counter = counter, .replay = {}} {
  RW_ASSERT(!local_.is_zero());
}

std::expected<ControlPacket, Drop> ControlWire::open(Bytes datagram, MutableBytes scratch) {
  RW_ASSERT(scratch.size() >= kDatagramSizeMax);
  if (datagram.size() > kDatagramSizeMax) return std::unexpected(Drop::Oversize);
  if (!datagram.empty() && carries_wrapped_key(opcode_of(datagram[0]))) {
    if (!layer_.wrap->expects_wrapped_key()) return std::unexpected(Drop::UnknownOpcode);
    const auto cut = cut_wrapped_key(datagram);
    if (!cut) return std::unexpected(cut.error());
    datagram = cut->packet;
  }
  if (datagram.empty()) return std::unexpected(Drop::Truncated);
  // Chosen before anything is verified: the first byte is under the tag of either.
  Layer& layer = layer_of(key_id_of(datagram[0]));
  const auto unwrapped = layer.wrap->unwrap(datagram, scratch);
  if (!unwrapped) return std::unexpected(unwrapped.error());
  auto packet = decode_control_packet(unwrapped->plain);
  if (!packet) return packet;
  if (const auto fault = session_fault(*packet)) return std::unexpected(*fault);
  if (layer.wrap->is_protected() && !layer.replay.accept(unwrapped->stamp)) {
    return std::unexpected(Drop::ControlReplay);
  }
  remote_ = packet->sender;
  is_proven_ = is_proven_ || packet->ack_count > 0;
  if (packet->opcode == Opcode::HardResetServerV2 && !layer_.wrap->wrapped_key().empty()) {
    shows_key_again_ = asks_for_wrapped_key(packet->payload).value_or(false);
  }
  packet->opcode = without_key(packet->opcode);
  return packet;
}

std::optional<Drop> ControlWire::session_fault(const ControlPacket& packet) const {
  if (remote_ && packet.sender != *remote_) return Drop::ForeignSession;
  if (packet.ack_count > 0 && packet.receiver != local_) return Drop::ForeignSession;
  if (!remote_ && !is_answer_to_first_reset(packet)) return Drop::BadReset;
  return std::nullopt;
}

Bytes ControlWire::seal(ControlPacket& packet, MutableBytes out) {
  RW_ASSERT(out.size() >= kDatagramSizeMax);
  packet.sender = local_;
  packet.receiver = remote();
  const bool with_key = shows_key(packet);
  if (with_key) {
    packet.opcode =
        packet.opcode == Opcode::ControlV1 ? Opcode::ControlWkcV1 : Opcode::HardResetClientV3;
  }
  std::array<std::uint8_t, ControlPacket::kHeaderSizeMax + ControlPacket::kPayloadSizeMax> plain;
  ByteWriter writer(plain);
  encode_control_packet(packet, writer);
  RW_ASSERT(!writer.overflowed());
  Layer& layer = layer_of(packet.key_id);
  const Bytes wrapped = layer.wrap->wrap(writer.written(), layer.counter.next(), out);
  if (!with_key) return wrapped;
  const Bytes key = layer_.wrap->wrapped_key();
  RW_ASSERT(wrapped.size() + key.size() <= out.size());
  std::ranges::copy(key, out.begin() + static_cast<std::ptrdiff_t>(wrapped.size()));
  return out.first(wrapped.size() + key.size());
}

/// The reset, and where the server asks for it the first message behind it.
bool ControlWire::shows_key(const ControlPacket& packet) const {
  if (layer_.wrap->wrapped_key().empty() || packet.key_id != KeyId{0}) return false;
  if (packet.opcode == Opcode::HardResetClientV2) return true;
  return shows_key_again_ && packet.opcode == Opcode::ControlV1 &&
         packet.message_id == MessageId{1};
}

void ControlWire::protect_renegotiations(const StaticKey& key, Side side, std::uint32_t time) {
  if (dynamic_ != nullptr) return;
  dynamic_ = std::make_unique<DynamicLayer>(
      DynamicLayer{.wrap = TlsWrap(TlsCrypt(key, side)),
                   .layer = {.wrap = nullptr, .counter = ReplayCounter(1, time), .replay = {}}});
  dynamic_->layer.wrap = &dynamic_->wrap;
}

/// The first negotiation keeps its protection for good: a reset that comes again is checked by it.
ControlWire::Layer& ControlWire::layer_of(KeyId key_id) {
  return dynamic_ != nullptr && key_id != KeyId{0} ? dynamic_->layer : layer_;
}

const TlsWrap& ControlWire::wrap_of(KeyId key_id) const {
  return dynamic_ != nullptr && key_id != KeyId{0} ? dynamic_->wrap : *layer_.wrap;
}

std::size_t ControlWire::payload_size_max(std::size_t packet_size, KeyId key_id) const {
  const TlsWrap& wrap = wrap_of(key_id);
  const std::size_t around =
      kOuterHeaderSize + kPacketHeaderSize + wrap.overhead() + wrap.wrapped_key().size();
  const std::size_t payload = packet_size > around ? packet_size - around : 0;
  return std::clamp(payload, kPayloadSizeMin, ControlPacket::kPayloadSizeMax);
}

}  // namespace ringway
