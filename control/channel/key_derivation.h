#pragma once

#include <optional>

#include "base/ids.h"
#include "base/secret.h"
#include "control/channel/key_exchange.h"
#include "control/channel/tls_session.h"
#include "dataplane/admission/session_id.h"
#include "dataplane/channel/data_keys.h"

/// From what a negotiation agreed on to the keys of the data channel. Pure.
namespace ringway {

/// "key2", the 256 bytes that both ends derive:
///
///     client to server: cipher 64 | hmac 64 | server to client: cipher 64 | hmac 64
using KeyBlock = Secret<256>;

/// The session ids of both ends, by role.
struct SessionPair {
  SessionId client;
  SessionId server;
};

/// RFC 5705: label "EXPORTER-OpenVPN-datakeys", no context. Nothing when TLS is not established.
std::optional<KeyBlock> derive_by_exporter(const TlsSession& tls);

/// The same with the label "EXPORTER-OpenVPN-dynamic-tls-crypt".
std::optional<KeyBlock> derive_wrap_key(const TlsSession& tls);

/// The TLS 1.0 PRF, for clients before 2.6. The order of both seeds is client first, whoever
/// computes:
///
///     master = PRF(pre_master, "OpenVPN master secret" | random1 of both, 48)
///     block  = PRF(master, "OpenVPN key expansion" | random2 of both | session ids of both, 256)
///
/// Nothing when the crypto library refuses MD5.
std::optional<KeyBlock> derive_by_prf(const KeySource& client, const KeySource& server,
                                      const SessionPair& sessions);

/// The two directions of `block` as seen from `side`; the caller fills in the times. Nothing when
/// a cipher key is all zero, which only a broken library gives.
std::optional<DataKeys> split_key_block(const KeyBlock& block, Side side, KeyId key_id,
                                        DataCipher cipher);

}  // namespace ringway
