#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

/// OpenVPN's names of TLS ciphers, as OpenSSL wants them. Pure.
namespace ringway {

/// `tls-cipher` (TLS 1.2): a colon list of OpenSSL names and keywords, or IANA names with '-' or
/// '_'. Error: a name that means nothing, named.
Result<std::string> translate_cipher_list(std::string_view list);
/// `tls-ciphersuites` (TLS 1.3): a colon list of IANA names with '-' or '_'.
Result<std::string> translate_ciphersuites(std::string_view list);

}  // namespace ringway
