#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "base/secret.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// An HMAC key (RFC 2104) with both of its padded blocks already absorbed, so that a short message
/// costs two compressions and nothing is looked up or allocated.
///
/// Pure; immutable after construction, so threads may share it; owns its key.
class HmacKey {
 public:
  /// `key` is at most one block of the digest (64 bytes, 128 from SHA-384 on).
  HmacKey(Bytes key, Digest digest);

  /// The MAC over the parts in their order, written to `out`, which is size() long.
  void compute(std::initializer_list<Bytes> parts, MutableBytes out) const;
  /// Compares in constant time.
  [[nodiscard]] bool verify(std::initializer_list<Bytes> parts, Bytes mac) const;
  [[nodiscard]] std::size_t size() const { return size_of(digest_); }

 private:
  /// Room for the largest digest's inner and outer state.
  static constexpr std::size_t kStatesSize = 448;

  Digest digest_;
  Secret<kStatesSize> states_;
};

}  // namespace ringway
