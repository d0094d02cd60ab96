#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/config/config.h"

namespace ringway {

/// What of a profile is the client's own, as PEM texts; secret but for the certificate.
struct ProfileOwner {
  std::string name;
  std::string cert_pem;
  std::string key_pem;
  /// For a server with `tls-crypt-v2`: the client's key, wrapped by the server's.
  std::string v2_key_pem;
};

/// A client's profile for the server that `config`, with its files loaded, makes: one text with all
/// that it needs. It names each of `hosts` at each port of the server, IPv6 first and then IPv4,
/// because to a stock client `udp6` and `udp4` are the only words that mean one family each in
/// every version: behind DS-Lite the native family is tried first, and where there is none the
/// other is tried ten seconds later. UDP comes before TCP. Pure. Errors: nothing in the
/// configuration that a profile could trust the server by.
Result<std::string> profile_text(const ServerConfig& config, const std::vector<std::string>& hosts,
                                 const ProfileOwner& owner);

/// The host name that the server's certificate bears, or an empty text: the first choice for
/// `hosts`.
std::string host_of_certificate(const ServerConfig& config);

/// The PEM blocks of a text with nothing before, between and behind them; easy-rsa's certificates
/// come with a description.
std::string pem_blocks(std::string_view text);

}  // namespace ringway
