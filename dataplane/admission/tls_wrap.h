#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/drop.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/tls_auth.h"
#include "dataplane/admission/tls_crypt.h"
#include "dataplane/admission/tls_crypt_v2_key.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// A server's part of tls-crypt-v2.
struct TlsCryptV2Server {
  TlsCryptV2ServerKey key;
  /// `force-cookie`: clients that cannot send their wrapped key a second time (before 2.6) are not
  /// answered, because that takes memory before they have proven their address.
  bool force_cookie = false;
  /// `tls-crypt-v2-max-age`; 0 = any age.
  Duration age_max{0};

  /// Whether a key with this metadata is too old, or does not tell its age where that is asked.
  [[nodiscard]] bool is_stale(const KeyMetadata& metadata, UnixTime now) const;
};

/// How control packets are protected: not at all, by tls-auth or by tls-crypt. Keys only, no
/// counters: a ReplayStamp comes in when wrapping and out when unwrapping, so that the stateless
/// first stage, every session and every thread can share one object.
///
/// A server may know tls-crypt-v2 besides: then a client may bring its own key along, and each such
/// session gets a TlsWrap of its own (with_client_key()). Where it knows nothing else, packets
/// without any protection are refused.
///
/// Pure and immutable once set up; nothing is allocated for a packet but, with tls-crypt,
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
  /// A client with a key of its own, which it shows with its first packets.
  static TlsWrap with_wrapped_key(const TlsCryptV2ClientKey& client);
  /// A server towards a client that has shown this key.
  static TlsWrap with_client_key(const StaticKey& key);

  /// Both are called once, before the object is shared.
  void offer_v2(TlsCryptV2Server server) { v2_.emplace(std::move(server)); }
  /// The static key that the protection was made from: dynamic tls-crypt mixes it in.
  void keep_key(const StaticKey& key) { key_.emplace(key.copy()); }

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
  /// Null where tls-crypt-v2 is not offered.
  [[nodiscard]] const TlsCryptV2Server* v2() const { return v2_ ? &*v2_ : nullptr; }
  /// What a client shows; empty without tls-crypt-v2.
  [[nodiscard]] Bytes wrapped_key() const { return wrapped_key_; }
  /// On a server: packets of this session may end with the client's wrapped key.
  [[nodiscard]] bool expects_wrapped_key() const { return expects_wrapped_key_; }
  /// Null where it was not kept.
  [[nodiscard]] const StaticKey* key() const { return key_ ? &*key_ : nullptr; }

 private:
  std::variant<std::monostate, TlsAuth, TlsCrypt> keys_;
  std::optional<TlsCryptV2Server> v2_;
  std::vector<std::uint8_t> wrapped_key_;
  bool expects_wrapped_key_ = false;
  std::optional<StaticKey> key_;
};

}  // namespace ringway
