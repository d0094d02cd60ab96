#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/peer_rules.h"
#include "control/channel/openssl_handles.h"

/// What `remote-cert-ku` and its like ask of a certificate, and the name that it gives its owner.
/// Pure; for the .cc files of control/channel that may see OpenSSL.
namespace ringway {

/// Errors: a field or a usage that OpenSSL has no name for.
Result<void> check_rules(const PeerRules& rules);

/// Which rule `leaf` breaks, in words for the log; empty: none. `issuer` signed it; null when it is
/// not known, which breaks `verify-hash`. `rules` have passed check_rules().
std::string rule_fault(X509* leaf, X509* issuer, const PeerRules& rules);

/// The peer's name by `fields`, as UTF-8 and length-counted; empty when the certificate lacks one
/// of them. With several fields of one kind the last counts, as for OpenVPN.
std::string peer_name_of(const X509* certificate, const std::vector<std::string>& fields);

}  // namespace ringway
