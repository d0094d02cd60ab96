#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace ringway {

/// SHA-256 over the DER form of a certificate.
using CertificateDigest = std::array<std::uint8_t, 32>;

/// What a peer's certificate must be like beyond its chain, and which of its fields names the peer.
/// The rules hold together: who breaks one is refused. Pure value.
struct PeerRules {
  /// `remote-cert-ku`: the certificate must have a key usage, and all bits of one of these (RFC
  /// 5280 4.2.1.3, digitalSignature is 0x80); none: any usage will do.
  bool needs_key_usage = false;
  std::vector<std::uint16_t> key_usages;
  /// `remote-cert-eku`: a name or a dotted number; empty: no rule.
  std::string extended_key_usage;
  /// `peer-fingerprint`: the certificate is one of these; empty: no rule. Without authorities they
  /// stand in for the chain.
  std::vector<CertificateDigest> fingerprints;
  /// `verify-hash`: the SHA-1 or the SHA-256 of the certificate that signed the peer's; empty: no
  /// rule.
  std::vector<std::uint8_t> issuer_digest;
  /// `x509-username-field`: "CN" and the like, "serialNumber", "ext:subjectAltName" or
  /// "ext:issuerAltName"; several are joined by `_`. Empty: the common name.
  std::vector<std::string> name_fields;
};

}  // namespace ringway
