#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/admission/wrap_types.h"
#include "dataplane/channel/data_cipher.h"

namespace ringway {

/// The options-consistency string of a key-method-2 message. Both ends compare it as text and only
/// ever warn about differences, so what counts is to say what OpenVPN says. Pure value.
struct OptionsString {
  Side side = Side::Server;
  std::uint16_t tun_mtu = 1500;
  /// The packets go over TCP.
  bool is_tcp = false;
  /// `--auth`.
  Digest auth = Digest::Sha1;
  /// The static `cipher`; unset as by default, which OpenVPN writes as if it were BF-CBC.
  std::optional<DataCipher> fallback_cipher;
  bool tls_auth = false;
  /// Our own key-direction; only with tls-auth.
  std::optional<int> key_direction;

  [[nodiscard]] std::string to_string() const;
};

/// `options` with "keydir N" behind its "proto" element, where OpenVPN has it; unchanged when it
/// names a direction already.
std::string with_key_direction(std::string_view options, int direction);

/// Whether the sender puts a byte for compression in front of each packet: `comp-lzo` of any kind,
/// or a `compress` that is not one of OpenVPN's second version.
[[nodiscard]] bool frames_compression(std::string_view options);
/// `options` as of a sender that does so, too, which is what such a peer compares with.
std::string with_compression_framing(std::string_view options);

/// The value behind `name` in an options string, e.g. "cipher" -> "AES-256-CBC".
std::optional<std::string_view> find_in_options(std::string_view options, std::string_view name);

}  // namespace ringway
