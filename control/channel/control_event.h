#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/secret_text.h"
#include "control/channel/peer_info.h"
#include "control/channel/push.h"
#include "dataplane/channel/data_keys.h"

/// What a ControlChannel tells its owner. Values.
namespace ringway {

/// A certificate that must not be used any more. Without an issuer: whoever issued it. Value.
struct RevokedCertificate {
  std::string issuer;
  std::string serial_decimal;
  friend auto operator<=>(const RevokedCertificate&, const RevokedCertificate&) = default;
};

/// One certificate of a peer's chain, in the words of OpenVPN's programs.
struct CertificateFacts {
  std::string subject;
  /// "CN", "O", ... and their values, in the certificate's order; there may be several of a name.
  std::vector<std::pair<std::string, std::string>> subject_fields;
  std::string serial_decimal;
  /// With colons, as the digests.
  std::string serial_hex;
  std::string sha1_hex;
  std::string sha256_hex;
};

/// Who the peer's certificate says it is; empty strings when it showed none.
struct PeerCertificate {
  std::string common_name;
  std::string subject;
  std::string issuer;
  std::string serial_decimal;
  std::array<std::uint8_t, 32> sha256{};
  bool present = false;
  /// The chain as it was verified, the peer's own first. Servers only.
  std::vector<CertificateFacts> chain;
};

/// Server: the client's key-method-2 message of one negotiation was read. Answer with admit() or
/// reject(). Raised again at each renegotiation.
struct AuthRequested {
  KeyId key_id;
  PeerCertificate certificate;
  std::string username;
  /// Wiped by the owner after use.
  std::string password;
  PeerInfo peer_info;
  /// The client's options string.
  std::string options;
};
/// The keys of a negotiation. The owner installs them before it drains poll_transmit().
struct KeysReady {
  DataKeys keys;
};
/// The peer has acknowledged our key-method-2 message, and both are exchanged; text messages may
/// flow. Raised on both ends, for the first negotiation only.
struct ControlActive {};
/// Server: PUSH_REQUEST.
struct PushRequested {};
/// Client: the whole PUSH_REPLY. Raised once; duplicates are swallowed.
struct PushReceived {
  PushReply reply;
};
/// Client: the whole PUSH_UPDATE; `-` and `?` still stand before its options.
struct PushUpdated {
  PushReply update;
};
/// A renegotiation finished (true), or failed and left the old keys alone (false). KeysReady may
/// have been raised for one that fails afterwards: the peer then never confirmed that it has them.
struct Renegotiated {
  KeyId key_id;
  bool succeeded = true;
};
/// The peer said EXIT (server), RESTART or HALT (client).
struct PeerLeft {
  std::string message;
};
/// Client: a negotiation waits for name and password (`auth-nocache`). Answer with set_login()
/// within hand-window. Once a negotiation.
struct LoginWanted {};
/// Client: the server wants a token to be used in place of the password from now on; it has been
/// taken out of what it pushed. Answer with keep_token(), or leave it.
struct TokenPushed {
  /// Whose it is; empty: the login's.
  std::string username;
  SecretText token;
};
/// Client: AUTH_FAILED with its reason.
struct AuthFailed {
  std::string reason;
};
/// Any other text message, unchecked.
struct MessageReceived {
  std::string text;
};
/// The channel is dead: nothing more will come out of it and it may be destroyed.
struct Closed {
  /// For the log; may hold peer text, so escape it.
  std::string reason;
};

using ControlEvent = std::variant<AuthRequested, KeysReady, ControlActive, PushRequested,
                                  PushReceived, PushUpdated, Renegotiated, PeerLeft, LoginWanted,
                                  TokenPushed, AuthFailed, MessageReceived, Closed>;

}  // namespace ringway
