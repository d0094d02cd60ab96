#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "dataplane/channel/keepalive.h"

namespace ringway {

// The messages in the tunnel by which the width of the path is found out: OpenVPN's own, OCC
// MTU_REQUEST and MTU_REPLY (docs/WIRE.md 8.4). Pure.

/// Makes all of `out` (at least kMtuRequestSizeMin bytes) a request. Its padding is zero.
void write_mtu_request(MutableBytes out);

/// `received` is the size of the UDP payload that brought the request.
std::array<std::uint8_t, kMtuReplySize> make_mtu_reply(std::uint16_t received);

/// The largest UDP payload that the peer says it received; of PayloadKind::MtuReply.
std::uint16_t read_mtu_reply(Bytes payload);

}  // namespace ringway
