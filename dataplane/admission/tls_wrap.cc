#include "dataplane/admission/tls_wrap.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

std::expected<Unwrapped, Drop> TlsWrap::unwrap(Bytes datagram, MutableBytes scratch) const {
  if (const auto* auth = std::get_if<TlsAuth>(&keys_)) return auth->unwrap(datagram, scratch);
  if (const auto* crypt = std::get_if<TlsCrypt>(&keys_)) return crypt->unwrap(datagram, scratch);
  return Unwrapped{.plain = datagram, .stamp = {}};
}

Bytes TlsWrap::wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const {
  if (const auto* auth = std::get_if<TlsAuth>(&keys_)) return auth->wrap(plain, stamp, out);
  if (const auto* crypt = std::get_if<TlsCrypt>(&keys_)) return crypt->wrap(plain, stamp, out);
  RW_ASSERT(out.size() >= plain.size());
  std::ranges::copy(plain, out.begin());
  return out.first(plain.size());
}

std::size_t TlsWrap::overhead() const {
  if (const auto* auth = std::get_if<TlsAuth>(&keys_)) return auth->overhead();
  if (std::holds_alternative<TlsCrypt>(keys_)) return TlsCrypt::overhead();
  return 0;
}

std::optional<int> TlsWrap::key_direction() const {
  if (const auto* auth = std::get_if<TlsAuth>(&keys_)) return auth->direction();
  return std::nullopt;
}

}  // namespace ringway
