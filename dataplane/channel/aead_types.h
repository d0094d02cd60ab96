#pragma once

#include <array>
#include <cstdint>

#include "dataplane/channel/data_cipher.h"

/// The vocabulary of the AEAD engines. Pure.
namespace ringway {

using AeadNonce = std::array<std::uint8_t, kAeadNonceSize>;

/// What a key is for: some engines prepare it differently.
enum class AeadUse : std::uint8_t { Seal, Open };

}  // namespace ringway
