#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "dataplane/channel/aead_trial.h"

namespace ringway {

/// SHELL: tests and measures every engine of this build with every cipher, in some 6 ms of
/// processor time. Logs an
/// error for each that fails. Call after the SecretArena was reserved.
std::vector<AeadTrial> try_aead_engines();

/// What serves these ciphers: `wanted`, or the fastest for each. Logs which engine serves which
/// cipher, and at what cost. The error says why `wanted` cannot be followed.
Result<AeadChoice> choose_aead(std::optional<AeadEngine> wanted,
                               std::span<const DataCipher> ciphers);

/// "AES-256-GCM by ipsec-mb, 85 ns for 1,400 bytes; ..." Pure.
std::string aead_line(const AeadChoice& choice, std::span<const AeadTrial> trials,
                      std::span<const DataCipher> ciphers);

/// "ipsec-mb, openssl, libsodium": those of this build. Pure.
std::string built_in_engines();

}  // namespace ringway
