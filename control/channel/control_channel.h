#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel/control_event.h"
#include "control/channel/login.h"
#include "control/channel/tls_context.h"
#include "dataplane/admission/handshake_gate.h"
#include "dataplane/admission/tls_wrap.h"

namespace ringway {

/// Limits and timers of a channel; the same for all channels of one server or client.
struct ChannelSettings {
  Side side = Side::Server;
  Duration hand_window{60s};
  Duration tran_window{3600s};
  Duration tls_timeout{2s};
  /// When we start a renegotiation, counted from the start of the last one; 0 = never. A server
  /// draws uniformly from [renegotiate_min, renegotiate].
  Duration renegotiate{3600s};
  Duration renegotiate_min{3240s};
  /// Largest control packet that we send, outer IP and UDP headers included (48 are assumed).
  std::size_t packet_size_max = 1250;
  /// Our options string, without the part that depends on the role of key-direction.
  std::string options;
  // Client only.
  SharedLogin login;
  /// `auth-nocache`: a login is forgotten once it was sent, and LoginWanted asks for it anew.
  bool forgets_login = false;
  PeerInfo peer_info;
};

/// What the server decides about a client that asked to come in.
struct Admission {
  DataCipher cipher = DataCipher::Aes256Gcm;
  /// Derive data keys by TLS exporter; otherwise by the TLS-PRF. Fixed for the session.
  bool tls_key_export = true;
  /// Renegotiations get a protection of their own, made from the first negotiation.
  bool dynamic_tls_crypt = false;
  /// The client's profile has packets framed for compression; the push is to take it out of that.
  bool ends_compression = false;
  /// Data packets have the epoch format.
  bool data_epochs = false;
};

/// One OpenVPN control channel between two session ids: reliability, TLS, key-method 2, text
/// messages and renegotiation.
///
/// Pure: give it datagrams and the time; take datagrams, a deadline and events. After any
/// handle_*() or verb, drain poll_event() (acting on KeysReady before anything is sent) and
/// poll_transmit(), then ask poll_timeout() again. Used by one thread at a time. Bad input is
/// counted and dropped. What ends the channel is reported as Closed. At most one negotiation is
/// unfinished at any time; a failed renegotiation leaves the keys in use alone.
///
/// A client asks for the push by itself: PUSH_REQUEST as soon as it is active and every five
/// seconds, until PushReceived.
class ControlChannel {
 public:
  static constexpr std::size_t kDatagramSizeMax = HandshakeGate::kDatagramSizeMax;
  /// Without its NUL: stock clients read 2048 bytes at once.
  static constexpr std::size_t kMessageSizeMax = 2047;

  /// Server: `proven` came from the HandshakeGate; the reset exchange is already done. Feed the
  /// proving datagram to handle_datagram() next. `wrap`, `tls` and `random` outlive the channel;
  /// `wrap` is not used where the client has brought a key of its own.
  static ControlChannel accept(const ChannelSettings& settings, const TlsWrap& wrap,
                               const TlsContext& tls, RandomSource& random, GateProven proven,
                               Now now);
  /// Server, tls-crypt-v2 without a cookie: the address is not proven, and our reset goes out from
  /// here. Feed the client's reset to handle_datagram() next. The owner bounds how many there are.
  static ControlChannel accept_unproven(const ChannelSettings& settings, const TlsContext& tls,
                                        RandomSource& random, GateUnproven client, Now now);
  /// Client: poll_transmit() gives the first reset.
  static ControlChannel connect(const ChannelSettings& settings, const TlsWrap& wrap,
                                const TlsContext& tls, RandomSource& random, Now now);
  ControlChannel(ControlChannel&&) noexcept;
  ~ControlChannel();

  void handle_datagram(Bytes datagram, Now now);
  /// May be called early or twice; does nothing unless a deadline has passed.
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  /// Writes the next datagram into `scratch` (at least kDatagramSizeMax) and returns the part used.
  [[nodiscard]] std::optional<Bytes> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<ControlEvent> poll_event();

  /// Server, answers to AuthRequested. On a renegotiation `admission` must be what it was.
  void admit(const Admission& admission, Now now);
  /// Sends AUTH_FAILED[,reason] once the channel is active. Acknowledgements and retransmissions
  /// complete within kExitGrace after that; then the channel raises Closed, if the owner has not
  /// removed it. Also what becomes of a client whose name or password is too long: that is rejected
  /// without AuthRequested.
  void reject(std::string_view reason, Now now);
  static constexpr Duration kExitGrace = 5s;

  /// Client, answer to PushReceived: derives the keys of the first negotiation (raises KeysReady).
  void apply_push(const Admission& admission, Now now);

  /// Client, answer to LoginWanted.
  void set_login(SharedLogin login, Now now);
  /// Client: the server has given this in place of the password; it is never forgotten.
  void keep_token(SharedLogin token, Now now);

  /// One text message, one TLS record; the NUL is added here. Held back until the newest
  /// negotiation is active. At most kMessageSizeMax; what a client would drop a whole message for
  /// is replaced by '_'.
  void send_message(std::string_view text, Now now);
  void send_push_reply(const PushReply& reply, Now now);
  /// Server, to a client with IV_PROTO bit 12: encode_push_update().
  void send_push_update(const std::vector<std::string>& options, Now now);
  /// Starts a renegotiation, unless one is running or the first has not finished. The peer's are
  /// answered if they are at least kRenegotiationGap after the start of the last (B12).
  void renegotiate(Now now);
  static constexpr Duration kRenegotiationGap = 5s;

  /// True once the first negotiation has given keys.
  [[nodiscard]] bool is_established() const;
  /// The peer receives at its address: of accept_unproven(), whether it has gone on.
  [[nodiscard]] bool is_proven() const;
  [[nodiscard]] SessionId local_session() const;
  [[nodiscard]] SessionId remote_session() const;
  /// "TLSv1.3, TLS_AES_256_GCM_SHA384" of the newest negotiation.
  [[nodiscard]] std::string tls_description() const;
  /// The last time that an authentic datagram came.
  [[nodiscard]] Instant last_received() const;
  [[nodiscard]] const std::array<std::uint64_t, kDropCount>& drops() const;

 private:
  struct State;
  explicit ControlChannel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringway
