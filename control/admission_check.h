#pragma once

#include <expected>
#include <string>

#include "control/channel/control_event.h"
#include "control/client.h"
#include "control/config/config.h"

namespace ringway {

/// Why a client is not let in.
struct Refusal {
  /// Behind "AUTH_FAILED,"; never says more than the client may know.
  std::string for_client;
  /// For the server's log; already escaped.
  std::string for_log;
  /// The client may try again later: AUTH_FAILED would make an old client give up for good.
  bool is_temporary = false;
};

/// Who the client is, from a certificate that TLS has verified and what it says besides. Pure.
/// Refused: no certificate or an empty common name where `verify-client-cert` demands one; no user
/// name where passwords are checked, unless `auth-user-pass-optional` permits that. With
/// `username-as-common-name` a user's name takes the place of the certificate's.
std::expected<ClientIdentity, Refusal> check_identity(const ServerConfig& config,
                                                      const AuthRequested& request);

/// A renegotiation must come from who connected: same name, user and certificate. A certificate
/// that was renewed in between needs a new connection, as with OpenVPN.
std::expected<void, Refusal> check_same_identity(const ClientIdentity& first,
                                                 const ClientIdentity& again);

/// ... and offer no less: a client that could take its keys from TLS once can do so again, and one
/// that does not say so any more is somebody who would rather have the older derivation (security
/// goal B04).
std::expected<void, Refusal> check_same_offer(const Admission& first, const PeerInfo& again);

/// How the data keys of the session are made, or why no cipher serves both sides; and whether
/// the client is to be taken out of a framing for compression. Pure.
std::expected<Admission, Refusal> choose_admission(const ServerConfig& config,
                                                   const AuthRequested& request);

}  // namespace ringway
