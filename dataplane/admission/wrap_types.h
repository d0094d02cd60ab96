#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace ringway {

/// The long replay id of tls-auth and tls-crypt packets. `time` is taken once when a sender starts
/// and stays; `id` counts 1, 2, 3 per packet sent. Compared as (time, id). Pure value.
struct ReplayStamp {
  std::uint32_t id = 0;
  /// UNIX seconds.
  std::uint32_t time = 0;
  friend constexpr bool operator==(const ReplayStamp&, const ReplayStamp&) = default;
};

/// A control packet whose protection was verified.
struct Unwrapped {
  /// As drawn in control_packet.h.
  Bytes plain;
  /// {0, 0} without protection.
  ReplayStamp stamp;
};

/// Which end of the connection we are: it decides which half of a key sends.
enum class Side : std::uint8_t { Server, Client };

/// `--auth`: the digest of tls-auth.
enum class Digest : std::uint8_t { Sha1, Sha224, Sha256, Sha384, Sha512 };

constexpr std::size_t size_of(Digest digest) {
  switch (digest) {
    case Digest::Sha1: return 20;
    case Digest::Sha224: return 28;
    case Digest::Sha256: return 32;
    case Digest::Sha384: return 48;
    case Digest::Sha512: return 64;
  }
  return 0;
}

/// As OpenVPN's options string and configuration have it.
constexpr std::string_view name_of(Digest digest) {
  switch (digest) {
    case Digest::Sha1: return "SHA1";
    case Digest::Sha224: return "SHA224";
    case Digest::Sha256: return "SHA256";
    case Digest::Sha384: return "SHA384";
    case Digest::Sha512: return "SHA512";
  }
  return "";
}

}  // namespace ringway
