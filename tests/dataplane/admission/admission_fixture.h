#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/tls_wrap.h"
#include "tests/support/hex.h"
#include "tests/support/vectors.h"

/// What the tests of the first stage share: the key of the captured packets, and packets by hand.
namespace ringway::test {

inline StaticKey captured_key() {
  return StaticKey::from_bytes(load_vector("static-key-file").bytes("raw_256"));
}

inline SessionId session_id(std::uint64_t value) {
  SessionId id;
  store_be64(id.bytes.data(), value);
  return id;
}

inline std::vector<std::uint8_t> encode(const ControlPacket& packet) {
  std::vector<std::uint8_t> buffer(4096);
  ByteWriter writer(buffer);
  encode_control_packet(packet, writer);
  buffer.resize(writer.size());
  return buffer;
}

inline std::vector<std::uint8_t> wrapped(const TlsWrap& wrap, const ControlPacket& packet,
                                         ReplayStamp stamp = {1, 1000}) {
  const std::vector<std::uint8_t> plain = encode(packet);
  std::vector<std::uint8_t> out(plain.size() + wrap.overhead());
  const Bytes used = wrap.wrap(plain, stamp, out);
  return {used.begin(), used.end()};
}

/// The three ways of protection, each as both ends see it.
struct WrapPair {
  const char* name;
  TlsWrap server;
  TlsWrap client;
};

inline std::vector<WrapPair> all_wraps() {
  const StaticKey key = captured_key();
  std::vector<WrapPair> pairs;
  pairs.push_back({"none", TlsWrap(), TlsWrap()});
  pairs.push_back({"tls-auth SHA1", TlsWrap(TlsAuth(key, 0, Digest::Sha1)),
                   TlsWrap(TlsAuth(key, 1, Digest::Sha1))});
  pairs.push_back({"tls-auth SHA512 without direction",
                   TlsWrap(TlsAuth(key, std::nullopt, Digest::Sha512)),
                   TlsWrap(TlsAuth(key, std::nullopt, Digest::Sha512))});
  pairs.push_back(
      {"tls-crypt", TlsWrap(TlsCrypt(key, Side::Server)), TlsWrap(TlsCrypt(key, Side::Client))});
  for (WrapPair& pair : pairs) {
    if (!pair.server.is_protected()) continue;
    pair.server.keep_key(key);
    pair.client.keep_key(key);
  }
  return pairs;
}

inline TlsCryptV2ServerKey captured_v2_server_key() {
  return TlsCryptV2ServerKey::from_bytes(
      load_vector("tls-crypt-v2-wkc-timestamp").bytes("server_key_raw"));
}

inline TlsCryptV2ClientKey captured_v2_client_key() {
  const Vector vector = load_vector("tls-crypt-v2-wkc-timestamp");
  return {.key = StaticKey::from_bytes(vector.bytes("Kc")), .wrapped = vector.bytes("WKc")};
}

/// A server that knows nothing but tls-crypt-v2, and a client of its.
inline WrapPair v2_wrap(bool force_cookie = false, Duration age_max = Duration{0}) {
  WrapPair pair{"tls-crypt-v2", TlsWrap(), TlsWrap::with_wrapped_key(captured_v2_client_key())};
  pair.server.offer_v2(
      {.key = captured_v2_server_key(), .force_cookie = force_cookie, .age_max = age_max});
  return pair;
}

/// Of whole channels: these, and tls-crypt-v2.
inline std::vector<WrapPair> channel_wraps() {
  std::vector<WrapPair> pairs = all_wraps();
  pairs.push_back(v2_wrap());
  return pairs;
}

}  // namespace ringway::test
