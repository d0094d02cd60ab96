#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "dataplane/admission/tls_crypt_v2_key.h"

/// New keys of every kind that OpenVPN's `--genkey` makes, as texts that it reads. Pure; the texts
/// are secret, and the caller wipes them.
namespace ringway {

/// For `tls-auth` and `tls-crypt`, which have the same file.
std::string make_static_key_file(RandomSource& random);
std::string make_tls_crypt_v2_server_file(RandomSource& random);
/// For `auth-gen-token`'s secret.
std::string make_auth_token_file(RandomSource& random);

/// A key for one client of the server whose key file `server_pem` is. Its metadata is `metadata`
/// (base64, decoded and kept as it is), or without it the time of its making. The errors name
/// `server_where`, or the metadata.
Result<std::string> make_tls_crypt_v2_client_file(std::string_view server_pem,
                                                  std::string_view server_where,
                                                  std::optional<std::string_view> metadata,
                                                  RandomSource& random, UnixTime now);

}  // namespace ringway
