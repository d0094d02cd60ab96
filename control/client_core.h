#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel/control_channel.h"
#include "control/channel/tls_context.h"
#include "control/client_lifetime.h"
#include "control/client_push.h"
#include "dataplane/channel/aead_engines.h"
#include "dataplane/channel/key_limits.h"
#include "dataplane/channel/mss_fix.h"
#include "dataplane/channel/path_mtu.h"
#include "dataplane/channel/session_settings.h"

namespace ringway {

struct ClientSettings {
  /// `side` is Client. Where `options` is empty, and for every IV_ line that `peer_info` lacks, the
  /// core says what is true of it.
  ChannelSettings channel;
  /// In order of preference; announced as IV_CIPHERS.
  std::vector<DataCipher> data_ciphers = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm,
                                          DataCipher::ChaCha20Poly1305};
  /// Used where the server pushes none; 0 = never.
  Duration ping_interval{0};
  Duration ping_restart = ClientPush::kPingRestartDefault;
  /// `ping-exit`: that silence is the end, and nothing is tried again.
  bool ping_exits = false;
  /// `inactive` and `session-timeout`; what is pushed wins.
  ClientLifetime::Limits lifetime;
  /// `pull-filter`: whether an option that the server pushes counts for nothing. Unset: none does.
  std::function<bool(std::string_view)> ignores_push;
  /// How often a goodbye on the data channel is said; a pushed number wins.
  unsigned exit_notify_count = 1;
  /// New keys are asked for after so much traffic, both ways together; 0 = never.
  std::uint64_t renegotiate_bytes = 0;
  std::uint64_t renegotiate_packets = 0;
  /// `passtos`: datagrams have the DSCP of the packet inside.
  bool copies_dscp = false;
  /// What becomes of the MSS of TCP SYNs in the tunnel.
  MssFix mssfix = MssFix::off();
  /// Where the core's datagrams go, for what IP costs there, and how it is known what gets through.
  Endpoint server;
  PathKind path = PathKind::Ethernet;
  /// The engines of the thread that uses the core, shared by all of its cores; outlives them. Null:
  /// OpenSSL and libsodium.
  const AeadEngines* engines = nullptr;
  KeyLimits key_limits;
};

/// What a client was told to be.
struct ClientConnected {
  PushReply push;
};
/// The server has changed what it pushes (PUSH_UPDATE): this is all that holds now. Ping times are
/// the core's, and changed already.
struct ClientReconfigured {
  PushReply push;
};
/// The last event: the core will say nothing more.
struct ClientDisconnected {
  enum class Cause : std::uint8_t {
    Left,           ///< leave() was asked for
    AuthFailed,     ///< the server does not want us; `reason` is its own text
    ServerRestart,  ///< RESTART: connect again
    ServerHalt,     ///< HALT: do not
    Silence,        ///< nothing authentic came for ping-restart
    Over,           ///< the same for ping-exit: the end, and nothing is tried again
    Failed,         ///< the handshake, or what the server pushed
  };
  /// For the log; may hold text of the server, so escape it.
  std::string reason;
  Cause cause = Cause::Failed;
};
/// An inner packet from the server; lies in the datagram that carried it.
struct ClientPacket {
  MutableBytes packet;
};
struct ClientRekeyed {
  KeyId key_id;
};
/// The server has given this to be used in place of the password, also when we connect anew.
struct ClientTokenKept {
  SharedLogin token;
};
/// Name and password are wanted once more (`auth-nocache`): answer with set_login().
struct ClientLoginWanted {};
/// INFO, INFO_PRE or something else that the server says and that is the owner's to understand.
struct ClientNotice {
  /// Text of the server, so escape it.
  std::string text;
};
/// `inactive` or `session-timeout`: the owner is to leave(), for good.
struct ClientTimeIsUp {
  std::string reason;
};
using ClientEvent =
    std::variant<ClientConnected, ClientReconfigured, ClientDisconnected, ClientRekeyed,
                 ClientTokenKept, ClientLoginWanted, ClientNotice, ClientTimeIsUp>;

/// One OpenVPN client: a ControlChannel, a data-channel session and keep-alive. The same core is
/// the real client, each client of the load generator and the peer in simulations.
///
/// Pure: datagrams, inner packets and a time in; the same out. Used by one thread at a time.
class ClientCore {
 public:
  static constexpr std::size_t kDatagramSizeMax = ControlChannel::kDatagramSizeMax;
  /// How long a goodbye may take to get through.
  static constexpr Duration kLeaveGrace = 1s;

  /// All references outlive the core.
  ClientCore(const ClientSettings& settings, const TlsWrap& wrap, const TlsContext& tls,
             RandomSource& random, Now now);
  ~ClientCore();
  ClientCore(ClientCore&&) noexcept;
  ClientCore& operator=(ClientCore&&) noexcept;

  /// A datagram from the server: that it came from its endpoint is for the owner to see. Returns an
  /// inner packet when it carried one; opens in place.
  std::optional<ClientPacket> handle_datagram(MutableBytes datagram, Now now);
  /// What handle_packet() adds to a packet, and where the ciphertext will begin in what it builds;
  /// only while connected.
  [[nodiscard]] std::size_t seal_overhead() const;
  [[nodiscard]] std::size_t payload_offset() const;
  /// An inner packet for the server: the sealed datagram at the head of `out`, or nothing before
  /// connection. A packet that lies at payload_offset() in `out` is sealed in place.
  std::optional<MutableBytes> handle_packet(Bytes packet, MutableBytes out, Now now);
  /// The largest inner packet that travels to the server in one outer packet, now, and the limits
  /// of TCP in it; nothing, and no limits, before connection.
  [[nodiscard]] std::size_t packet_max() const;
  /// SessionSettings::outer_class_mask; 0 before connection.
  [[nodiscard]] std::uint8_t outer_class_mask() const;
  [[nodiscard]] InnerMss mss() const;
  /// Null before there are keys.
  [[nodiscard]] const PathMtu* path() const;
  /// What has become of probes of the path since the last call.
  [[nodiscard]] PathMtu::Counts take_path_counts();
  /// The kernel did not send a datagram of this size (EMSGSIZE).
  void note_refused(std::size_t datagram_size, Now now);
  /// An ICMP message that seems to be about the path says that it carries no more than `mtu`.
  void note_hint(std::size_t mtu, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] std::optional<Bytes> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<ClientEvent> poll_event();

  void renegotiate(Now now);
  /// After ClientLoginWanted.
  void set_login(SharedLogin login, Now now);
  /// The user's answer to CR_TEXT: CR_RESPONSE.
  void answer_challenge(const SecretText& answer, Now now);
  /// Says goodbye: EXIT on the control channel, or the OCC message on the data channel, whichever
  /// the server wants. Go on polling until ClientDisconnected; that takes kLeaveGrace or so. Over
  /// TCP there is nothing to say: ClientDisconnected is there at once, and the owner closes.
  void leave(Now now);
  /// The TCP connection to the server is no more.
  void handle_connection_ended();

  /// The server has answered our first reset, authentically as far as the wrapping tells.
  [[nodiscard]] bool is_answered() const;
  [[nodiscard]] bool is_connected() const;
  /// Unset before connection, and with a server that gave none.
  [[nodiscard]] PeerId peer_id() const;
  /// Datagrams of the data channel that were authentic. One from elsewhere that adds to it shows
  /// where the server is.
  [[nodiscard]] std::uint64_t opened_count() const;
  /// Datagrams and packets that died, by reason, the control channel's included.
  [[nodiscard]] std::array<std::uint64_t, kDropCount> drops() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringway
