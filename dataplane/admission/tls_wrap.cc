#include "dataplane/admission/tls_wrap.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

bool TlsCryptV2Server::is_stale(const KeyMetadata& metadata, UnixTime now) const {
  if (age_max <= Duration{0}) return false;
  const std::optional<UnixTime> made_at = metadata.made_at();
  if (!made_at) return true;
  return made_at->seconds < now.seconds - age_max / 1s;
}

TlsWrap TlsWrap::with_wrapped_key(const TlsCryptV2ClientKey& client) {
  TlsWrap wrap(TlsCrypt(client.key, Side::Client));
  wrap.wrapped_key_ = client.wrapped;
  wrap.keep_key(client.key);
  return wrap;
}

TlsWrap TlsWrap::with_client_key(const StaticKey& key) {
  TlsWrap wrap(TlsCrypt(key, Side::Server));
  wrap.keep_key(key);
  wrap.expects_wrapped_key_ = true;
  return wrap;
}

std::expected<Unwrapped, Drop> TlsWrap::unwrap(Bytes datagram, MutableBytes scratch) const {
  if (const auto* auth = std::get_if<TlsAuth>(&keys_)) return auth->unwrap(datagram, scratch);
  if (const auto* crypt = std::get_if<TlsCrypt>(&keys_)) return crypt->unwrap(datagram, scratch);
  if (v2_) return std::unexpected(Drop::BadWrap);
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
