#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "control/config/config.h"

namespace ringway {

/// The addresses of a name, of the family that is asked for, in the order of the system's resolver
/// (RFC 6724); at least one. Ports are 0; the scope counts for link-local addresses. The error says
/// why there is none, and leaves `where` to the caller.
using NameLookup =
    std::function<Result<std::vector<Endpoint>>(const std::string& name, LinkFamily family)>;

/// Asks the system's resolver (/etc/hosts, DNS, mDNS ...) and gives up after `patience`. SHELL: any
/// thread; waits. What the resolver itself does after that goes on in a thread of the C library.
Result<std::vector<Endpoint>> look_up_name(const std::string& name, LinkFamily family,
                                           Duration patience);

}  // namespace ringway
