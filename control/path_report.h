#pragma once

#include <string>
#include <vector>

#include "control/status_report.h"
#include "dataplane/channel/path_mtu.h"

namespace ringway {

/// The largest outer packets that are sent, for the log: whether they were seen to arrive
/// ("proven"), or are assumed to. Pure.
std::string path_text(std::uint16_t path_mtu, bool is_proven);
/// A line for each client; nothing without clients. Names are escaped.
std::string path_report(const std::vector<ClientStatus>& clients);

}  // namespace ringway
