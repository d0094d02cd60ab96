#pragma once

#include "base/address.h"

namespace ringway {

/// Addresses that no packet through the tunnel may carry, as source or as destination (security
/// goal C05): the tunnel is a routed link, so nothing that means "this host", "this link" or
/// "everybody" has a meaning on its other side.
///
///   IPv4  0/8, 127/8, 169.254/16, 224/4, 255.255.255.255     (RFC 1122 3.2.1.3, RFC 3927, RFC
///   5771) IPv6  ::/96 (with :: and ::1), fe80::/10, ff00::/8       (RFC 4291 2.5, 2.7)
///
/// Multicast is among them because nobody here routes it: a client's router solicitations, mDNS and
/// SSDP would only leak into the server's networks. v4-mapped IPv6 never gets here: parsing refuses
/// it. Pure.
bool is_martian(const IpAddress& address);

}  // namespace ringway
