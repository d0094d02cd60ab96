#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/config/config.h"
#include "control/probe_report.h"

namespace ringway {

/// One server to ask. Value.
struct ProbeQuestion {
  std::string host;
  std::uint16_t port = 1194;
  ProbeTransport transport = ProbeTransport::Udp;
  LinkFamily family = LinkFamily::Both;
};

struct ProbeSettings {
  std::vector<ProbeQuestion> questions;
  /// With its files loaded.
  WrapConfig wrap;
  /// For each address.
  Duration limit = 5s;
};

/// Asks every address of every name, all at the same time. A name without addresses is part of the
/// report, not an error; an error is a key that cannot be used.
///
/// SHELL: waits for the resolver and for the network; one thread.
Result<ProbeReport> run_probe(const ProbeSettings& settings);

}  // namespace ringway
