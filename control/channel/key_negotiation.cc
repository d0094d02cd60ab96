#include "control/channel/key_negotiation.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/check.h"
#include "control/channel/options_string.h"

namespace ringway {
namespace {

bool is_reset(Opcode opcode) {
  return opcode == Opcode::SoftResetV1 || opcode == Opcode::HardResetClientV2 ||
         opcode == Opcode::HardResetServerV2;
}

Opcode peer_reset_of(Side side, KeyId key_id) {
  if (key_id != KeyId{0}) return Opcode::SoftResetV1;
  return side == Side::Server ? Opcode::HardResetClientV2 : Opcode::HardResetServerV2;
}

}  // namespace

KeyNegotiation::KeyNegotiation(const Setup& setup, Now now)
    : settings_(setup.settings),
      tls_context_(setup.tls),
      random_(setup.random),
      options_(setup.options),
      payload_size_max_(setup.payload_size_max),
      key_id_(setup.key_id),
      peer_reset_(peer_reset_of(setup.settings.side, setup.key_id)),
      started_(now.instant),
      phase_(setup.reset ? Phase::Resetting : Phase::Handshaking),
      sender_(MessageId{setup.reset ? 0u : 1u}, setup.settings.tls_timeout),
      receiver_(MessageId{setup.reset ? 0u : 1u}),
      peer_reset_received_(!setup.reset) {
  if (setup.reset) sender_.queue(*setup.reset, {}, now.instant);
}

std::expected<void, Drop> KeyNegotiation::handle_packet(const ControlPacket& packet, Now now) {
  for (const MessageId id : packet.acks()) sender_.handle_ack(id, now.instant);
  std::expected<void, Drop> verdict;
  if (packet.has_message()) {
    if (!may_receive(packet)) {
      verdict = std::unexpected(Drop::BadReset);
    } else if (!receiver_.handle_message(packet.opcode, packet.message_id, packet.payload)) {
      verdict = std::unexpected(Drop::OutsideWindow);
    } else {
      acks_.push(packet.message_id);
    }
  }
  if (!std::exchange(heard_, true)) sender_.expedite(now.instant);
  advance(now);
  return verdict;
}

/// Message 0 is the reset and nothing else is (security goal A06): a reset elsewhere would wedge
/// the stream, because there is no way to take it out again.
bool KeyNegotiation::may_receive(const ControlPacket& packet) const {
  if (packet.message_id == MessageId{0}) return packet.opcode == peer_reset_;
  return !is_reset(packet.opcode);
}

void KeyNegotiation::advance(Now now) {
  finish_resets(now);
  while (const auto message = receiver_.poll_message()) deliver(*message, now);
  exchange_messages();
  pump_output(now.instant);
  if (phase_ == Phase::Confirming && tls_->output_size() == 0 && all_acknowledged()) {
    phase_ = Phase::Active;
  }
}

void KeyNegotiation::finish_resets(Now now) {
  if (phase_ != Phase::Resetting || !peer_reset_received_) return;
  // A server need not wait for the acknowledgement of its reset: a ClientHello implies it.
  if (settings_.side == Side::Client && !all_acknowledged()) return;
  phase_ = Phase::Handshaking;
  if (settings_.side == Side::Client) tls_.emplace(tls_context_, now.wall);
}

void KeyNegotiation::deliver(const ReliableReceiver::Message& message, Now now) {
  if (is_reset(message.opcode)) {
    // The payload of a hard reset is for tls-crypt-v2, never for TLS.
    peer_reset_received_ = true;
    finish_resets(now);
    return;
  }
  if (has_failed() || message.payload.empty()) return;
  if (phase_ == Phase::Resetting) return fail("TLS before the end of the reset exchange");
  // A server's TLS object is made only now, when the peer has proven its address and has begun.
  if (!tls_) tls_.emplace(tls_context_, now.wall);
  tls_->feed(message.payload);
}

void KeyNegotiation::exchange_messages() {
  if (!tls_ || has_failed()) return;
  if (settings_.side == Side::Client && tls_->handshake_done() && !our_exchange_sent_ &&
      !awaits_login()) {
    send_exchange(std::string(options_));
  }
  std::array<std::uint8_t, TlsSession::kRecordSizeMax> record;
  while (!has_failed()) {
    const auto size = tls_->read(record);
    if (!size) break;
    handle_record(Bytes(record).first(*size));
    wipe(MutableBytes(record).first(*size));
  }
  if (tls_->failed() && !has_failed()) fail(tls_->failure());
}

void KeyNegotiation::handle_record(Bytes record) {
  if (phase_ != Phase::Handshaking) {
    records_.emplace_back(text_of(record));
    return;
  }
  const Side peer = settings_.side == Side::Server ? Side::Client : Side::Server;
  auto exchange = decode_key_exchange(record, peer);
  if (!exchange) return fail(name_of(exchange.error()));
  // At once, whatever the verdict about the client will be: an AUTH_FAILED needs the channel too.
  if (settings_.side == Side::Server) {
    const bool is_framed = frames_compression(exchange->options);
    send_exchange(is_framed ? with_compression_framing(options_) : std::string(options_));
  }
  if (has_failed()) return;

  sources_.emplace(std::move(*our_source_), std::move(exchange->source));
  our_source_.reset();
  peer_exchange_ = std::move(*exchange);
  phase_ = Phase::Confirming;
}

void KeyNegotiation::send_exchange(std::string options) {
  our_exchange_sent_ = true;
  KeyExchange exchange;
  random_.fill(exchange.source.material.mutable_bytes());
  exchange.options = std::move(options);
  if (settings_.side == Side::Client) {
    if (settings_.login) {
      exchange.username = settings_.login->username;
      exchange.password = settings_.login->password.view();
    }
    exchange.peer_info = settings_.peer_info.to_string();
  }
  std::vector<std::uint8_t> message(KeyExchange::kSizeMax);
  ByteWriter writer(message);
  encode_key_exchange(exchange, settings_.side, writer);
  if (writer.overflowed()) return fail("our own key exchange message is too large");
  tls_->write(writer.written());
  wipe(message);
  our_source_ = std::move(exchange.source);
}

bool KeyNegotiation::awaits_login() const {
  return settings_.forgets_login && !settings_.login && !our_exchange_sent_ && tls_ &&
         tls_->handshake_done() && !has_failed();
}

/// TLS output is a plain stream of bytes, cut to what fits a datagram; records may span several.
void KeyNegotiation::pump_output(Instant now) {
  if (!tls_) return;
  std::array<std::uint8_t, ControlPacket::kPayloadSizeMax> piece;
  while (tls_->output_size() > 0 && sender_.has_room()) {
    const std::size_t size = tls_->take_output(MutableBytes(piece).first(payload_size_max_));
    sender_.queue(Opcode::ControlV1, Bytes(piece).first(size), now);
  }
}

bool KeyNegotiation::poll_transmit(ControlPacket& packet, Instant now) {
  packet = ControlPacket{.key_id = key_id_};
  std::span<MessageId> ack_room(packet.ack_ids);
  if (const auto message = sender_.poll_transmit(now)) {
    packet.opcode = message->opcode;
    packet.message_id = message->id;
    packet.payload = message->payload;
    ack_room = ack_room.first(ControlPacket::kPiggybackAcksMax);
  } else if (acks_.has_waiting()) {
    packet.opcode = Opcode::AckV1;
  } else {
    return false;
  }
  packet.ack_count = static_cast<std::uint8_t>(acks_.take(ack_room));
  return true;
}

std::optional<KeyExchange> KeyNegotiation::take_peer_exchange() {
  return std::exchange(peer_exchange_, std::nullopt);
}

std::vector<std::string> KeyNegotiation::take_records() { return std::exchange(records_, {}); }

std::optional<DataKeys> KeyNegotiation::derive_keys(const Admission& admission,
                                                    const SessionPair& sessions) {
  if (!awaits_keys()) return std::nullopt;
  const Sources sources = std::move(*sources_);
  sources_.reset();
  const bool is_server = settings_.side == Side::Server;
  const KeySource& client = is_server ? sources.peers : sources.ours;
  const KeySource& server = is_server ? sources.ours : sources.peers;

  const auto block = admission.tls_key_export ? derive_by_exporter(*tls_)
                                              : derive_by_prf(client, server, sessions);
  auto keys = block ? split_key_block(*block, settings_.side, key_id_, admission.cipher)
                    : std::optional<DataKeys>();
  has_keys_ = keys.has_value();
  if (!keys) {
    fail("cannot derive the data keys");
    return keys;
  }
  keys->in_epochs = admission.data_epochs;
  return keys;
}

std::optional<KeyBlock> KeyNegotiation::export_wrap_key() const {
  return tls_ ? derive_wrap_key(*tls_) : std::nullopt;
}

bool KeyNegotiation::send_text(std::string_view text, Instant now) {
  RW_ASSERT(is_active());
  if (tls_->output_size() > TlsSession::kOutputMax / 2) return false;
  std::string message(text);
  message += '\0';
  tls_->write(bytes_of(message));
  pump_output(now);
  return true;
}

PeerCertificate KeyNegotiation::peer_certificate() const {
  return tls_ ? tls_->peer_certificate() : PeerCertificate{};
}

std::string KeyNegotiation::tls_description() const {
  return tls_ && tls_->handshake_done() ? tls_->description() : std::string();
}

void KeyNegotiation::fail(std::string_view reason) {
  phase_ = Phase::Failed;
  failure_ = reason;
  our_source_.reset();
  sources_.reset();
  peer_exchange_.reset();
}

}  // namespace ringway
