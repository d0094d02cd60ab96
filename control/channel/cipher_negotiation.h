#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/channel/peer_info.h"
#include "dataplane/channel/data_cipher.h"

/// How a server picks the data cipher and the key derivation of a client, once for the session.
/// Pure.
namespace ringway {

/// Names beyond this are not read (security goal B06).
inline constexpr std::size_t kCipherNamesMax = 128;

/// What AUTH_FAILED says when nothing is shared; clients show it to their user.
inline constexpr std::string_view kNoSharedCipher =
    "Data channel cipher negotiation failed (no shared cipher)";

/// The first of `ours` that the client speaks: it is in IV_CIPHERS; or, without IV_CIPHERS, implied
/// by IV_NCP >= 2; or, without IV_CIPHERS, the `cipher` of the client's options string. `fallback`
/// is for a client that tells none of these.
std::optional<DataCipher> negotiate_cipher(std::span<const DataCipher> ours,
                                           std::optional<DataCipher> fallback,
                                           const PeerInfo& client, std::string_view client_options);

/// Whether the client takes a pushed `cipher`. One that does not aborts or ignores it; one that
/// does would otherwise fall back to its static cipher.
[[nodiscard]] bool takes_pushed_cipher(const PeerInfo& client);

/// Whether data keys come from the TLS exporter. Preferred whenever the client offers it (security
/// goal B04); 2.4 and 2.5 have only the PRF.
[[nodiscard]] bool takes_tls_key_export(const PeerInfo& client);

/// Whether the client's packets can have the epoch format, and whether it can be told so: that
/// takes a peer id, `protocol-flags` and keys by export (docs/WIRE.md 6.4).
[[nodiscard]] bool takes_data_epochs(const PeerInfo& client);

/// "AES-256-GCM:AES-128-GCM", for IV_CIPHERS.
std::string cipher_list_text(std::span<const DataCipher> ciphers);

}  // namespace ringway
