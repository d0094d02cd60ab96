#pragma once

#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "base/secret_text.h"
#include "base/time.h"
#include "control/auth_token.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "dataplane/admission/tls_wrap.h"

/// From what a configuration says, its files loaded, to what control channels use. Errors name the
/// option's line and file. Pure.
namespace ringway {

/// `passphrase` is that of the private key; empty: it has none.
Result<TlsContext> make_tls_context(Side side, const TlsConfig& config, UnixTime now,
                                    const SecretText& passphrase = {});
[[nodiscard]] bool opens_private_key(const FileOrInline& key, const SecretText& passphrase);
Result<TlsWrap> make_tls_wrap(Side side, const WrapConfig& config);
/// Of `auth-gen-token`; nothing without it.
Result<std::optional<AuthTokens>> make_auth_tokens(const TokenConfig& config, RandomSource& random);

}  // namespace ringway
