#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringway {

/// IV_PROTO bits (docs/WIRE.md 5.7).
enum class ProtoBit : std::uint32_t {
  DataV2 = 1u << 1,
  RequestPush = 1u << 2,
  TlsKeyExport = 1u << 3,
  AuthPendingKeywords = 1u << 4,
  P2pNcp = 1u << 5,
  DnsOption = 1u << 6,
  ExitNotify = 1u << 7,
  AuthFailedTemp = 1u << 8,
  DynamicTlsCrypt = 1u << 9,
  DataEpoch = 1u << 10,
  DnsOptionV2 = 1u << 11,
  PushUpdate = 1u << 12,
};

/// Ringway's own, "1" where a client brings the ECN marks of its datagrams back into the packets
/// inside (RFC 6040 4.2), which stock clients do not; it is answered by a pushed `ecn`.
inline constexpr std::string_view kEcnPeerInfo = "IV_ECN";

/// The IV_* and UV_* lines of a key-method-2 message. Unknown names are kept and never refused;
/// lines over 255 bytes are cut, more than kLinesMax lines are ignored. Pure value.
class PeerInfo {
 public:
  static constexpr std::size_t kLinesMax = 64;
  static PeerInfo parse(std::string_view text);
  /// "NAME=value\n" lines, for the client.
  [[nodiscard]] std::string to_string() const;
  void set(std::string name, std::string value);

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// Missing or unreadable is 0.
  [[nodiscard]] std::uint32_t proto() const;
  [[nodiscard]] bool has(ProtoBit bit) const {
    return (proto() & static_cast<std::uint32_t>(bit)) != 0;
  }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& lines() const {
    return lines_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

[[nodiscard]] inline bool takes_outer_ecn(const PeerInfo& peer) {
  return peer.find(kEcnPeerInfo) == "1";
}

}  // namespace ringway
