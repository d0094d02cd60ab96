#pragma once

#include <optional>
#include <span>

#include "base/error.h"
#include "dataplane/channel/aead_engines.h"

namespace ringway {

/// What trying one engine with one cipher has shown. Pure value.
struct AeadTrial {
  AeadEngine engine = AeadEngine::Openssl;
  DataCipher cipher = DataCipher::Aes256Gcm;
  /// An engine that failed its test never serves.
  bool passed = false;
  /// Sealing and opening a packet of 1,400 bytes, the mean of both.
  double packet_ns = 0;
};

/// The fastest engine that passed, for each cipher; or `wanted` for all of `ciphers`. The error
/// says which cipher `wanted` cannot serve, and what to do. Pure.
Result<AeadChoice> choose_aead_engines(std::span<const AeadTrial> trials,
                                       std::optional<AeadEngine> wanted,
                                       std::span<const DataCipher> ciphers);

/// The trial of what serves `cipher` by `choice`; null when it was not tried. Pure.
const AeadTrial* find_trial(std::span<const AeadTrial> trials, DataCipher cipher,
                            AeadEngine engine);

}  // namespace ringway
