#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace ringway {

/// What a client says first, until its ClientHello is whole: OpenSSL, which takes 50 KiB as soon as
/// it is given a byte, has no part in a handshake that stalls before that (security goal A13).
///
/// Pure; holds what was added, and no more. Real ClientHellos, post-quantum key shares included,
/// stay below 4 KiB and come in one record.
class ClientHelloInput {
 public:
  /// OpenSSL makes room for a whole message when it reads its length, and takes 128 KiB.
  static constexpr std::size_t kMessageSizeMax = 16 * 1024;
  /// With the headers of its records.
  static constexpr std::size_t kSizeMax = kMessageSizeMax + 1024;

  enum class Verdict : std::uint8_t {
    NeedsMore,
    /// Or something that the TLS library is to judge behind a sane beginning.
    IsWhole,
    /// Not a handshake record with at least the header of a ClientHello of sane size.
    IsForeign,
  };

  Verdict add(Bytes input);
  [[nodiscard]] Bytes bytes() const { return bytes_; }
  /// When all has been handed on.
  void release() { std::vector<std::uint8_t>().swap(bytes_); }

 private:
  [[nodiscard]] bool is_foreign() const;
  [[nodiscard]] bool is_whole() const;

  std::vector<std::uint8_t> bytes_;
};

}  // namespace ringway
