#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/drop.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/tls_auth.h"
#include "dataplane/admission/tls_crypt.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// How control packets are protected: not at all, by tls-auth or by tls-crypt. Keys only, no
/// counters: a ReplayStamp comes in when wrapping and out when unwrapping, so that the stateless
/// first stage, every session and every thread can share one object.
///
/// Pure and immutable after construction; nothing is allocated for a packet but, with tls-crypt,
/// OpenSSL's cipher context. Failure answers nothing: a bad HMAC and a bad format are the same
/// BadWrap (security goal A24).
class TlsWrap {
 public:
  /// Room that wrap() needs beyond the plain packet, whatever the mode.
  static constexpr std::size_t kOverheadMax = 8 + 64;

  /// No protection.
  TlsWrap() = default;
  explicit TlsWrap(TlsAuth keys) : keys_(std::move(keys)) {}
  explicit TlsWrap(TlsCrypt keys) : keys_(std::move(keys)) {}

  /// Writes the packet without its wrapping (the picture in control_packet.h) into `scratch`, which
  /// is at least as large as `datagram` and does not overlap it, and returns it. Without protection
  /// the datagram itself is returned.
  [[nodiscard]] std::expected<Unwrapped, Drop> unwrap(Bytes datagram, MutableBytes scratch) const;
  /// Writes the wrapped form of `plain` into `out` and returns the part used; `out` has room for
  /// plain.size() + overhead().
  Bytes wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const;

  [[nodiscard]] std::size_t overhead() const;
  /// False without protection: then there is no replay stamp either.
  [[nodiscard]] bool is_protected() const { return !std::holds_alternative<std::monostate>(keys_); }
  /// The `keydir` element of the options string; only with tls-auth and a direction.
  [[nodiscard]] std::optional<int> key_direction() const;
  [[nodiscard]] bool is_tls_auth() const { return std::holds_alternative<TlsAuth>(keys_); }

 private:
  std::variant<std::monostate, TlsAuth, TlsCrypt> keys_;
};

}  // namespace ringway
