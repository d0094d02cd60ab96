#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel/control_channel.h"
#include "control/channel/tls_context.h"

namespace ringway {

struct ClientSettings {
  ChannelSettings channel;  ///< side is Client
  /// In order of preference; announced as IV_CIPHERS.
  std::vector<DataCipher> data_ciphers = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm,
                                          DataCipher::ChaCha20Poly1305};
};

/// What a client was told to be.
struct ClientConnected {
  PushReply push;
};
struct ClientDisconnected {
  std::string reason;
};
/// An inner packet from the server; borrowed until the next call.
struct ClientPacket {
  Bytes packet;
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

  /// All references outlive the core.
  ClientCore(const ClientSettings& settings, const TlsWrap& wrap, const TlsContext& tls,
             RandomSource& random, Now now);
  ~ClientCore();
  ClientCore(ClientCore&&) noexcept;

  /// A datagram from the server. Returns an inner packet when it carried one; opens in place.
  std::optional<ClientPacket> handle_datagram(MutableBytes datagram, Now now);
  /// An inner packet for the server: the sealed datagram in `out`, or nothing before connection.
  std::optional<Bytes> handle_packet(Bytes packet, MutableBytes out, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] std::optional<Bytes> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<ClientEvent> poll_event();

  void renegotiate(Now now);
  /// Says goodbye (EXIT on the control channel, or the OCC message).
  void leave(Now now);

  [[nodiscard]] bool is_connected() const;
  [[nodiscard]] PeerId peer_id() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringway
