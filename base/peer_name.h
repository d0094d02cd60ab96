#pragma once

#include <cstdint>

namespace ringway {

/// What of a certificate OpenVPN's `verify-x509-name` compares: the subject as "C=.., CN=..", the
/// common name, or the beginning of that.
enum class PeerNameMatch : std::uint8_t { Subject, CommonName, CommonNamePrefix };

}  // namespace ringway
