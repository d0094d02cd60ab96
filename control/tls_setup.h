#pragma once

#include "base/error.h"
#include "base/time.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "dataplane/admission/tls_wrap.h"

/// From what a configuration says, its files loaded, to what control channels use. Errors name the
/// option's line and file. Pure.
namespace ringway {

Result<TlsContext> make_tls_context(Side side, const TlsConfig& config, UnixTime now);
Result<TlsWrap> make_tls_wrap(Side side, const WrapConfig& config);

}  // namespace ringway
