#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "control/channel/ack_queue.h"
#include "control/channel/control_channel.h"
#include "control/channel/key_derivation.h"
#include "control/channel/key_exchange.h"
#include "control/channel/reliable_receiver.h"
#include "control/channel/reliable_sender.h"
#include "control/channel/tls_session.h"

namespace ringway {

/// One KeyId of a control channel: the reset, a TLS handshake, one key-method-2 message each way,
/// and from then on text messages. The two ends walk:
///
///     Resetting      our reset is out, the peer's awaited            (S_PRE_START)
///     Handshaking    TLS, then the key exchange messages             (S_START)
///     Confirming     both are exchanged, our last ones unconfirmed   (S_GOT_KEY, S_SENT_KEY)
///     Active         text messages flow                              (S_ACTIVE)
///     Failed         nothing but acknowledgements and the TLS alert  (S_ERROR)
///
/// Pure. Owned by one ControlChannel, at a fixed place; what Setup refers to outlives it. After
/// each handle_*() or verb, look at the poll_*() and take_*() functions.
class KeyNegotiation {
 public:
  struct Setup {
    const ChannelSettings& settings;
    const TlsContext& tls;
    RandomSource& random;
    /// Ours, key direction included.
    std::string_view options;
    std::size_t payload_size_max;
    KeyId key_id;
    /// What we open with; unset on a server whose stateless stage has exchanged the resets.
    std::optional<Opcode> reset;
  };
  enum class Phase : std::uint8_t { Resetting, Handshaking, Confirming, Active, Failed };

  KeyNegotiation(const Setup& setup, Now now);
  KeyNegotiation(const KeyNegotiation&) = delete;
  KeyNegotiation& operator=(const KeyNegotiation&) = delete;

  /// A packet of this session and KeyId. Its acknowledgements count even where its message does
  /// not.
  std::expected<void, Drop> handle_packet(const ControlPacket& packet, Now now);
  /// Fills in what is due to be sent, if anything; a dedicated ACK_V1 only when there is nothing
  /// to carry the acknowledgements. The payload is borrowed until the next call.
  [[nodiscard]] bool poll_transmit(ControlPacket& packet, Instant now);
  /// The next retransmission.
  [[nodiscard]] std::optional<Instant> poll_timeout() const { return sender_.poll_timeout(); }

  /// The peer's key exchange message, once, when ours has been sent too.
  std::optional<KeyExchange> take_peer_exchange();
  /// What it has waited for is among the settings: a login.
  void proceed(Now now) { advance(now); }
  /// Plaintext records that came after it.
  std::vector<std::string> take_records();

  /// From what was exchanged; once, then the sources are wiped. Nothing when it cannot be done. The
  /// times are left to the caller.
  std::optional<DataKeys> derive_keys(const Admission& admission, const SessionPair& sessions);
  /// What dynamic tls-crypt is made from. Nothing while TLS is not established.
  [[nodiscard]] std::optional<KeyBlock> export_wrap_key() const;
  /// One record with `text` and a NUL. Phase must be Active. False when the peer does not take what
  /// we have already said.
  bool send_text(std::string_view text, Instant now);

  [[nodiscard]] KeyId key_id() const { return key_id_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] bool is_active() const { return phase_ == Phase::Active; }
  [[nodiscard]] bool has_failed() const { return phase_ == Phase::Failed; }
  /// For the log; may hold peer text.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// Both key exchange messages are through, and keys have not been derived.
  [[nodiscard]] bool awaits_keys() const { return sources_.has_value() && !has_failed(); }
  [[nodiscard]] bool has_keys() const { return has_keys_; }
  /// Whether the peer has ever said anything under this KeyId.
  [[nodiscard]] bool was_heard() const { return heard_; }
  /// TLS is established, and what the client says of itself is missing (`auth-nocache`).
  [[nodiscard]] bool awaits_login() const;
  [[nodiscard]] bool has_sent_login() const { return our_exchange_sent_; }
  [[nodiscard]] bool all_acknowledged() const { return sender_.all_acknowledged(); }
  [[nodiscard]] Instant started() const { return started_; }
  [[nodiscard]] PeerCertificate peer_certificate() const;
  [[nodiscard]] std::string tls_description() const;

 private:
  struct Sources {
    KeySource ours;
    KeySource peers;
  };

  [[nodiscard]] bool may_receive(const ControlPacket& packet) const;
  void advance(Now now);
  void finish_resets(Now now);
  void deliver(const ReliableReceiver::Message& message, Now now);
  void exchange_messages();
  void handle_record(Bytes record);
  void send_exchange(std::string options);
  void pump_output(Instant now);
  void fail(std::string_view reason);

  const ChannelSettings& settings_;
  const TlsContext& tls_context_;
  RandomSource& random_;
  std::string_view options_;
  std::size_t payload_size_max_;
  KeyId key_id_;
  /// The reset that the peer opens with.
  Opcode peer_reset_;
  Instant started_;
  Phase phase_;
  ReliableSender sender_;
  ReliableReceiver receiver_;
  AckQueue acks_;
  std::optional<TlsSession> tls_;
  std::optional<KeySource> our_source_;
  std::optional<KeyExchange> peer_exchange_;
  std::optional<Sources> sources_;
  std::vector<std::string> records_;
  std::string failure_;
  bool heard_ = false;
  bool peer_reset_received_;
  bool our_exchange_sent_ = false;
  bool has_keys_ = false;
};

}  // namespace ringway
