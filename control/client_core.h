#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel/control_channel.h"
#include "control/channel/tls_context.h"
#include "control/client_push.h"
#include "dataplane/channel/aead_engines.h"

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
  /// How often a goodbye on the data channel is said; a pushed number wins.
  unsigned exit_notify_count = 1;
  /// The engines of the thread that uses the core, shared by all of its cores; outlives them. Null:
  /// OpenSSL and libsodium.
  const AeadEngines* engines = nullptr;
};

/// What a client was told to be.
struct ClientConnected {
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
using ClientEvent = std::variant<ClientConnected, ClientDisconnected, ClientRekeyed>;

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

  /// A datagram from the server: that it came from its endpoint is for the owner to see. Returns an
  /// inner packet when it carried one; opens in place.
  std::optional<ClientPacket> handle_datagram(MutableBytes datagram, Now now);
  /// Where the ciphertext will begin in what handle_packet() builds; only while connected.
  [[nodiscard]] std::size_t seal_overhead() const;
  /// An inner packet for the server: the sealed datagram at the head of `out`, or nothing before
  /// connection. A packet that lies at seal_overhead() in `out` is sealed in place.
  std::optional<MutableBytes> handle_packet(Bytes packet, MutableBytes out, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] std::optional<Bytes> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<ClientEvent> poll_event();

  void renegotiate(Now now);
  /// Says goodbye: EXIT on the control channel, or the OCC message on the data channel, whichever
  /// the server wants. Go on polling until ClientDisconnected; that takes kLeaveGrace or so.
  void leave(Now now);

  [[nodiscard]] bool is_connected() const;
  /// Unset before connection, and with a server that gave none.
  [[nodiscard]] PeerId peer_id() const;
  /// Datagrams and packets that died, by reason, the control channel's included.
  [[nodiscard]] std::array<std::uint64_t, kDropCount> drops() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringway
