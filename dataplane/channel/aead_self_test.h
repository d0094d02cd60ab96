#pragma once

#include "base/error.h"
#include "dataplane/channel/aead_engines.h"

namespace ringway {

/// Whether the engine that `engines` has chosen for `cipher` computes what the algorithm's document
/// prints and what OpenSSL computes for sizes up to a full packet, in place and apart, and refuses
/// what was changed. Pure; allocates; takes under a millisecond. The error says what went wrong.
Result<void> test_aead(DataCipher cipher, const AeadEngines& engines);

}  // namespace ringway
