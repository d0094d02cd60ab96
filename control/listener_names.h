#pragma once

#include <vector>

#include "base/error.h"
#include "control/config/config.h"
#include "control/name_lookup.h"

namespace ringway {

/// The listeners with each `local NAME` in the place of which stand all its addresses of the wanted
/// families. An address that two lines name with one port is served once. Errors: a name without an
/// address; more than kListenersMax of them. Pure but for `look_up`.
Result<std::vector<ListenConfig>> resolve_listeners(const std::vector<ListenConfig>& listens,
                                                    const NameLookup& look_up);

/// 127.0.0.0/8 and ::1, which nobody else can reach. Debian's installer gives the host's own name
/// 127.0.1.1.
bool is_loopback(const IpAddress& address);

}  // namespace ringway
