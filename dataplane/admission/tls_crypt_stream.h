#pragma once

#include "base/bytes.h"

namespace ringway {

/// AES-256-CTR as tls-crypt and tls-crypt-v2 use it: `key` is 32 bytes, `counter_block` the 16 of
/// the first block. Encrypts or decrypts, counter mode being its own inverse. `from` and `to` are
/// of one size, and the same memory or apart. Pure.
void apply_keystream(Bytes key, Bytes counter_block, Bytes from, MutableBytes to);

}  // namespace ringway
