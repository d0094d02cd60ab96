#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/control_plane.h"

namespace ringway {

/// A line of the status file: who is connected and what went through the tunnel.
struct ClientStatus {
  ClientSummary client;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  /// When something authentic last came.
  UnixTime last_heard;
  /// The largest outer packet that is sent to the client, and whether one was seen to arrive; 0:
  /// not known yet.
  std::uint16_t path_mtu = 0;
  bool path_is_proven = false;
};

/// The file of OpenVPN's `status`, version 1, 2 (commas) or 3 (tabs), as its readers expect it:
/// docs/WIRE.md 11.8. `utc_offset` is the local time zone's, in seconds, because the texts are in
/// local time. Names are escaped, and commas in them replaced. Pure.
std::string status_report(int version, const std::vector<ClientStatus>& clients, UnixTime now,
                          std::int64_t utc_offset);

}  // namespace ringway
